import { Button } from "@mantine/core";
import { Link, useLocation } from "react-router";
import { EmptyState } from "@/components/EmptyState";
import { paths } from "./paths";

/** An address that leads nowhere. */
export function NotFoundPage() {
  const { pathname } = useLocation();
  return (
    <>
      <title>Not found · AFT Workbench</title>
      <EmptyState
        page
        icon="question"
        title="There is no such page"
        action={
          <Button component={Link} to={paths.home}>
            Go to Home
          </Button>
        }
      >
        Nothing is at <code>{pathname}</code>. What was there may have been deleted.
      </EmptyState>
    </>
  );
}
