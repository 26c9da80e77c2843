import { Button, Checkbox, PasswordInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { useNavigate } from "react-router";
import { asApiError } from "@/api/client";
import { paths } from "@/app/paths";
import { ConfirmDestructive } from "@/components/ConfirmDestructive";
import { Notice } from "@/components/Notice";
import { notifyDone } from "@/components/notify";
import { Panel } from "@/components/Panel";
import classes from "./Judges.module.css";
import { emptyJudge, fromJudge, isWrite, type JudgeForm, NUMBERS, toJudge } from "./judgeForm";
import { type Judge, useDeleteJudge, useWriteJudge } from "./queries";

const MONEY = [
  "usd_per_million_input",
  "usd_per_million_output",
  "budget_usd",
  "budget_requests",
] as const;
const PACE = ["concurrency", "requests_per_minute", "timeout_seconds", "max_retries"] as const;

/** Where a judge is, with which key, at what price and pace. The key goes in and never comes out. */
export function JudgeSettings({ judge }: { judge: Judge | null }) {
  const navigate = useNavigate();
  const [name, setName] = useState(judge?.name ?? "");
  const [form, setForm] = useState<JudgeForm>(judge === null ? emptyJudge : fromJudge(judge));
  const [tried, setTried] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const write = useWriteJudge(name.trim());
  const remove = useDeleteJudge();
  const update = (values: Partial<JudgeForm>) => setForm((before) => ({ ...before, ...values }));
  const made = toJudge(form);
  const own = isWrite(made) || !tried ? {} : made;
  const refused = asApiError(write.error);
  const problem = (field: string): string | undefined =>
    (own as Record<string, string>)[field] ?? refused?.fieldMessage(field);
  const number = (field: (typeof MONEY)[number] | (typeof PACE)[number]) => (
    <TextInput
      key={field}
      label={NUMBERS[field].label}
      placeholder={NUMBERS[field].needed ? undefined : (NUMBERS[field].empty ?? "no limit")}
      inputMode="decimal"
      value={form[field]}
      error={problem(field)}
      onChange={(event) => update({ [field]: event.currentTarget.value })}
    />
  );
  return (
    <Panel title="Endpoint">
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (!isWrite(made) || name.trim() === "") return;
          write.mutate(made, {
            onSuccess: (stored) => {
              notifyDone(`Judge ${stored.name} is stored.`);
              update({ api_key: "", removesKey: false });
              if (judge === null) navigate(paths.judge(stored.name));
            },
          });
        }}
      >
        <div className={classes.fields}>
          {judge === null && (
            <TextInput
              label="Name"
              placeholder="local"
              maxLength={60}
              value={name}
              error={
                tried && name.trim() === "" ? "Give it a name." : refused?.fieldMessage("name")
              }
              onChange={(event) => setName(event.currentTarget.value)}
            />
          )}
          <TextInput
            label="Address, up to /v1"
            placeholder="http://127.0.0.1:8000/v1"
            value={form.base_url}
            error={problem("base_url")}
            onChange={(event) => update({ base_url: event.currentTarget.value })}
          />
          <TextInput
            label="Model"
            value={form.model}
            error={problem("model")}
            onChange={(event) => update({ model: event.currentTarget.value })}
          />
          <div>
            <PasswordInput
              label="Key"
              autoComplete="off"
              placeholder={judge?.has_key ? "stored; type to replace it" : "none"}
              value={form.api_key}
              error={problem("api_key")}
              disabled={form.removesKey}
              onChange={(event) => update({ api_key: event.currentTarget.value })}
            />
            {judge?.has_key && (
              <Checkbox
                size="xs"
                mt={6}
                label="Remove the stored key"
                checked={form.removesKey}
                onChange={(event) => update({ removesKey: event.currentTarget.checked })}
              />
            )}
          </div>
          {MONEY.map(number)}
        </div>
        <details>
          <summary>Pace and patience</summary>
          <div className={classes.fields}>{PACE.map(number)}</div>
        </details>
        {refused !== undefined && refused.errors.length === 0 && (
          <Notice level="error" title={refused.title}>
            <p>
              {refused.detail} {refused.remedy}
            </p>
          </Notice>
        )}
        <div className={classes.buttons}>
          <Button type="submit" loading={write.isPending}>
            {judge === null ? "Add judge" : "Store"}
          </Button>
          {judge !== null && (
            <Button variant="default" onClick={() => setDeleting(true)}>
              Delete judge
            </Button>
          )}
        </div>
      </form>
      {judge !== null && (
        <ConfirmDestructive
          opened={deleting}
          onClose={() => setDeleting(false)}
          title={`Delete judge ${judge.name}?`}
          destroys={[<bdi key="name">The endpoint {judge.base_url} with its key</bdi>]}
          keeps="Its ratings and runs stay."
          action="Delete judge"
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate(judge.name, { onSuccess: () => navigate(paths.settings) })}
        />
      )}
    </Panel>
  );
}
