import { count, dollars } from "@/components/format";
import classes from "./Judges.module.css";
import type { Judge } from "./queries";

/** What an endpoint has used, against its budget. */
export function Spent({ judge }: { judge: Judge }) {
  const { used, budget_usd, budget_requests } = judge;
  const byMoney = budget_usd !== null && used.usd !== null ? used.usd / budget_usd : null;
  const byRequests = budget_requests === null ? null : used.requests / budget_requests;
  const share = Math.max(byMoney ?? 0, byRequests ?? 0);
  const limited = byMoney !== null || byRequests !== null;
  const money = used.usd === null ? null : dollars(used.usd);
  return (
    <div className={classes.spent}>
      <span>
        {money !== null && (
          <>
            <strong>{money}</strong>
            {budget_usd !== null && ` of ${dollars(budget_usd)}`} ·{" "}
          </>
        )}
        {count(used.requests)}
        {budget_requests !== null && ` of ${count(budget_requests)}`} requests
        {used.cached > 0 && ` · ${count(used.cached)} known already`}
        {used.unreadable > 0 && ` · ${count(used.unreadable)} unreadable`}
      </span>
      {limited && (
        <div
          className={classes.budget}
          role="progressbar"
          aria-label={`Budget of ${judge.name}`}
          aria-valuenow={Math.round(Math.min(1, share) * 100)}
          aria-valuemin={0}
          aria-valuemax={100}
          data-nearly={share >= 0.8}
        >
          <span style={{ width: `${Math.min(1, share) * 100}%` }} />
        </div>
      )}
    </div>
  );
}
