import { notifications } from "@mantine/notifications";
import { createElement } from "react";
import { describeError } from "@/api/errors";

/** Says that something worked, in a few words that name it. */
export const notifyDone = (message: string): void => {
  notifications.show({ message, color: "teal" });
};

/** Says that something was taken away, with a way to get it back. */
export const notifyUndo = (message: string, onUndo: () => void): void => {
  const id = notifications.show({
    autoClose: UNDO_SHOWN_MS,
    message: createElement(
      "span",
      null,
      `${message} `,
      createElement(
        "button",
        {
          type: "button",
          className: "link-button",
          onClick: () => {
            notifications.hide(id);
            onUndo();
          },
        },
        "Undo",
      ),
    ),
  });
};
const UNDO_SHOWN_MS = 15_000;

/** Says what did not work, why, and what to do; stays until it is closed. */
export const notifyError = (error: unknown): void => {
  const { title, detail, remedy } = describeError(error);
  notifications.show({
    title,
    message: [detail, remedy].filter((part) => part !== "").join(" "),
    color: "red",
    autoClose: false,
  });
};
