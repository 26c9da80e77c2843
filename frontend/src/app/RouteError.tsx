import { Button } from "@mantine/core";
import { useEffect } from "react";
import { isRouteErrorResponse, useRouteError } from "react-router";
import { connection } from "@/api/connection";
import { describeError } from "@/api/errors";
import { EmptyState } from "@/components/EmptyState";
import { NotFoundPage } from "./NotFoundPage";
import classes from "./RouteError.module.css";

// After an update the old page asks for chunks that are gone; a reload fetches the new ones.
const OUTDATED = /dynamically imported module|module script failed|preload CSS/i;

/** What stands in place of a page that threw. The rest of the window goes on working. */
export function RouteError() {
  const error = useRouteError();
  const { title, detail, remedy } = describeError(error);
  const outdated = OUTDATED.test(detail);
  useEffect(() => {
    if (!outdated) return;
    return connection.onRestored(() => window.location.reload());
  }, [outdated]);
  if (isRouteErrorResponse(error) && error.status === 404) return <NotFoundPage />;
  return (
    <EmptyState
      icon="alert"
      title={outdated ? "This page could not be fetched" : title}
      action={<Button onClick={() => window.location.reload()}>Reload the page</Button>}
    >
      {outdated ? (
        "The server was updated or went away since this window was opened."
      ) : (
        <>
          <span className={classes.detail}>{detail}</span>
          {remedy !== "" && <p>{remedy} Runs are not affected.</p>}
        </>
      )}
    </EmptyState>
  );
}
