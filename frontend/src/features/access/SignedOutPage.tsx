import { CopyText } from "@/components/CopyText";
import { EmptyState } from "@/components/EmptyState";

interface Props {
  /** The link that brought the reader here was used before or is too old. */
  expired?: boolean;
}

/** How to get in: a one-time link, which only somebody at the machine can make. */
export function SignedOutPage({ expired = false }: Props) {
  return (
    <>
      <title>Sign in · AFT Workbench</title>
      <EmptyState
        page
        icon="link"
        title={expired ? "This link does not work any more" : "This browser is not signed in"}
        action={<CopyText text="aft login-link" what="command" />}
      >
        {expired
          ? "A login link works once, and for a short time. "
          : "The server shows its pages only to browsers that were let in by a one-time link. "}
        Open the link that <code>aft up</code> printed, or run the command below on the machine
        where the server runs and open the link it prints.
      </EmptyState>
    </>
  );
}
