import { notifications } from "@mantine/notifications";
import { describeError } from "@/api/errors";

/** Says that something worked, in a few words that name it. */
export const notifyDone = (message: string): void => {
  notifications.show({ message, color: "teal" });
};

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
