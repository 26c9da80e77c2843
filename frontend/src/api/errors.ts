/** What is wrong with one field of a request. */
export interface FieldError {
  field: string;
  message: string;
}

interface Problem {
  title: string;
  detail: string;
  status: number;
  errors: FieldError[];
  remedy: string;
}

/** The server's `application/problem+json` as an error; status 0 means that nothing answered. */
export class ApiError extends Error {
  readonly title: string;
  readonly detail: string;
  readonly status: number;
  readonly errors: FieldError[];
  readonly remedy: string;

  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.name = "ApiError";
    this.title = problem.title;
    this.detail = problem.detail;
    this.status = problem.status;
    this.errors = problem.errors;
    this.remedy = problem.remedy;
  }

  /** The message for one field, as forms show it beside the input. */
  fieldMessage(field: string): string | undefined {
    return this.errors.find((error) => error.field === field)?.message;
  }
}

export const unreachable = (): ApiError =>
  new ApiError({
    title: "The server does not answer",
    detail: `Nothing answered at ${window.location.host}.`,
    status: 0,
    errors: [],
    remedy: "Start it again with `aft up`. Runs go on without this page.",
  });

/** Builds the error from an answer's status and whatever body came with it. */
export function problemOf(status: number, body: unknown): ApiError {
  const given = isRecord(body) ? body : {};
  const text = (value: unknown, otherwise: string) =>
    typeof value === "string" && value !== "" ? value : otherwise;
  const plain = typeof body === "string" ? body.trim().slice(0, 300) : "";
  return new ApiError({
    title: text(given.title, status >= 500 ? "The server failed" : "The request was refused"),
    detail: text(given.detail, plain || `The server answered with status ${status}.`),
    status,
    errors: Array.isArray(given.errors) ? given.errors.filter(isFieldError) : [],
    remedy: text(given.remedy, status >= 500 ? "Try again. The server's log has the cause." : ""),
  });
}

/** Any thrown thing as what an error panel shows. */
export function describeError(error: unknown): { title: string; detail: string; remedy: string } {
  if (error instanceof ApiError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return { title: "This page met an error", detail, remedy: "Reload the page." };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFieldError(value: unknown): value is FieldError {
  return isRecord(value) && typeof value.field === "string" && typeof value.message === "string";
}
