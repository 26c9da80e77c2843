import { Icon } from "@/components/Icon";
import classes from "./OfflineBanner.module.css";

/** The server is away: what is on the screen may be old, runs go on without this page. */
export function OfflineBanner() {
  return (
    <div className={classes.banner} role="alert">
      <Icon name="alert" />
      <span>
        The server at <code>{window.location.host}</code> does not answer. This page shows what it
        last knew and tries again by itself; if the server was stopped, start it with{" "}
        <code>aft up</code>.
      </span>
    </div>
  );
}
