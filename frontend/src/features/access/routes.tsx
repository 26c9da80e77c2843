import { SignedOutPage } from "./SignedOutPage";

export const Component = () => <SignedOutPage expired />;
