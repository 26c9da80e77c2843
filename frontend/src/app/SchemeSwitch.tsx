import { type MantineColorScheme, useMantineColorScheme } from "@mantine/core";
import { Icon, type IconName } from "@/components/Icon";
import classes from "./SchemeSwitch.module.css";

const SCHEMES: readonly { value: MantineColorScheme; label: string; icon: IconName }[] = [
  { value: "light", label: "Light", icon: "sun" },
  { value: "dark", label: "Dark", icon: "moon" },
  { value: "auto", label: "As the system", icon: "system" },
];

/** Light, dark, or as the system has it. */
export function SchemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <fieldset className={classes.switch}>
      <legend className="visually-hidden">Colours</legend>
      {SCHEMES.map(({ value, label, icon }) => (
        <button
          key={value}
          type="button"
          className={classes.choice}
          aria-pressed={colorScheme === value}
          aria-label={label}
          title={label}
          onClick={() => setColorScheme(value)}
        >
          <Icon name={icon} size={14} />
        </button>
      ))}
    </fieldset>
  );
}
