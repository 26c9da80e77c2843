import {
  ActionIcon,
  Badge,
  Button,
  type CSSVariablesResolver,
  createTheme,
  Input,
  InputWrapper,
  type MantineColorsTuple,
  Modal,
  Tabs,
  Tooltip,
} from "@mantine/core";

const AFT_BLUE: MantineColorsTuple = [
  "#e6f3fa",
  "#cce4f2",
  "#9ccbe6",
  "#62b5e2",
  "#3d98cc",
  "#1a83bf",
  "#0072b2",
  "#00629a",
  "#004c78",
  "#00395a",
];

const NEUTRAL: MantineColorsTuple = [
  "#f6f7f9",
  "#f0f2f5",
  "#e1e4e8",
  "#d3d8de",
  "#c9ced5",
  "#9aa2ac",
  "#59626d",
  "#434b54",
  "#2a3037",
  "#171b20",
];

const DARK: MantineColorsTuple = [
  "#e4e7ea",
  "#c3c9cf",
  "#a2abb5",
  "#6b747e",
  "#3d444c",
  "#2a2f35",
  "#1b1f23",
  "#16191c",
  "#101214",
  "#0b0d0e",
];

/** Mantine bent to the design system: 14 px base, 4 px grid, hairlines, corners of 6 px. */
export const theme = createTheme({
  primaryColor: "aft",
  primaryShade: 6,
  colors: { aft: AFT_BLUE, gray: NEUTRAL, dark: DARK },
  black: "#171b20",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  fontFamilyMonospace: "var(--aft-mono)",
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  lineHeights: { xs: "16px", sm: "20px", md: "20px", lg: "24px", xl: "28px" },
  spacing: { xs: "8px", sm: "12px", md: "16px", lg: "24px", xl: "32px" },
  radius: { xs: "3px", sm: "4px", md: "6px", lg: "6px", xl: "6px" },
  defaultRadius: "md",
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "20px", lineHeight: "28px" },
      h2: { fontSize: "16px", lineHeight: "24px" },
      h3: { fontSize: "14px", lineHeight: "20px" },
    },
  },
  shadows: { xs: "none", sm: "none", md: "none", lg: "none", xl: "none" },
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    Button: Button.extend({
      vars: (_theme, props) => ({
        root:
          (props.size ?? "sm") === "sm"
            ? { "--button-height": "32px", "--button-padding-x": "12px", "--button-fz": "13px" }
            : {},
      }),
      styles: { root: { fontWeight: 500 } },
    }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray" } }),
    Badge: Badge.extend({
      defaultProps: { variant: "light", radius: "sm" },
      styles: { root: { textTransform: "none", fontWeight: 500 } },
    }),
    InputWrapper: InputWrapper.extend({
      styles: { label: { fontSize: "13px", fontWeight: 500, marginBottom: "2px" } },
    }),
    Input: Input.extend({
      vars: (_theme, props) => ({
        wrapper: (props.size ?? "sm") === "sm" ? { "--input-height": "32px" } : {},
      }),
    }),
    Modal: Modal.extend({
      defaultProps: { centered: true, transitionProps: { duration: 80 } },
      styles: {
        content: { border: "1px solid var(--aft-line)" },
        title: { fontSize: "16px", fontWeight: 600 },
      },
    }),
    Tabs: Tabs.extend({ defaultProps: { keepMounted: false } }),
    Tooltip: Tooltip.extend({
      defaultProps: { openDelay: 250, transitionProps: { duration: 60 }, multiline: true },
    }),
  },
});

/** Points Mantine's own variables at the tokens, so that a border is the same line everywhere. */
export const cssVariables: CSSVariablesResolver = () => {
  const shared = {
    "--mantine-color-body": "var(--aft-page)",
    "--mantine-color-text": "var(--aft-ink)",
    "--mantine-color-dimmed": "var(--aft-dim)",
    "--mantine-color-default-border": "var(--aft-line-strong)",
    "--mantine-color-anchor": "var(--aft-link)",
    "--mantine-color-error": "var(--aft-danger)",
  };
  return { variables: {}, light: shared, dark: shared };
};
