import { expect, test } from "vitest";
import { answerRequests } from "@/test/network";
import { download, fileName } from "./download";

test("the server names the file", () => {
  expect(fileName('attachment; filename="task-1.svg"')).toBe("task-1.svg");
  expect(fileName(null)).toBeNull();
});

test("an error is thrown, not saved as if it were the file", async () => {
  answerRequests({
    "GET /figure": { status: 501, body: { detail: "PNG needs kaleido.", remedy: "Export HTML." } },
  });
  await expect(download("/figure?format=png", "figure.png")).rejects.toMatchObject({
    detail: "PNG needs kaleido.",
    remedy: "Export HTML.",
  });
});
