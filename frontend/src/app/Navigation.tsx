import { NavLink } from "react-router";
import { Icon, type IconName } from "@/components/Icon";
import classes from "./Navigation.module.css";
import { paths } from "./paths";

const PLACES: readonly { to: string; label: string; icon: IconName }[] = [
  { to: paths.home, label: "Home", icon: "home" },
  { to: paths.datasets, label: "Data sets", icon: "datasets" },
  { to: paths.models, label: "Models", icon: "models" },
  { to: paths.experiments, label: "Experiments", icon: "experiments" },
  { to: paths.runs, label: "Runs", icon: "runs" },
  { to: paths.cots, label: "COTs", icon: "cots" },
  { to: paths.review, label: "Review", icon: "review" },
  { to: paths.compare, label: "Compare", icon: "compare" },
  { to: paths.settings, label: "Settings", icon: "settings" },
];

/** Where I am, and where I can go. */
export function Navigation({ onNavigate }: { onNavigate?: () => void }) {
  return (
    <nav className={classes.nav} aria-label="Main">
      {PLACES.map(({ to, label, icon }) => (
        <NavLink
          key={to}
          to={to}
          end={to === paths.home}
          className={classes.link ?? ""}
          onClick={() => onNavigate?.()}
        >
          <Icon name={icon} />
          {label}
        </NavLink>
      ))}
    </nav>
  );
}
