import classes from "./Brand.module.css";

/** The name with its mark: three measured values over a baseline. */
export function Brand() {
  return (
    <span className={classes.brand}>
      <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="6" fill="#0072B2" />
        <g fill="none" stroke="#fff" strokeWidth="2.5" strokeLinecap="round">
          <path d="M7 25V7M7 25h18" opacity=".55" />
          <path d="M12 20.5V14M17.5 20.5V9.5M23 20.5v-4" />
        </g>
      </svg>
      AFT Workbench
    </span>
  );
}
