export { GuidePage as Component } from "./GuidePage";
