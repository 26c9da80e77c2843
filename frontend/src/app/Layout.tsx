import { Burger, Drawer } from "@mantine/core";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Link, Outlet, useLocation, useNavigation } from "react-router";
import { connection } from "@/api/connection";
import { SignedOutPage } from "@/features/access/SignedOutPage";
import { Brand } from "./Brand";
import classes from "./Layout.module.css";
import { Navigation } from "./Navigation";
import { OfflineBanner } from "./OfflineBanner";
import { paths } from "./paths";
import { SchemeSwitch } from "./SchemeSwitch";
import { Tray } from "./Tray";

/** Left: where I am. Centre: the thing. Below: what is running. */
export function Layout() {
  const state = useSyncExternalStore(connection.subscribe, connection.current);
  const { pathname } = useLocation();
  const navigation = useNavigation();
  const [menuOpen, setMenuOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const before = useRef(pathname);

  // A new page starts at its top, and screen readers hear it; filters in the query change neither.
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    main.current?.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
    setMenuOpen(false);
  }, [pathname]);

  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#main">
        Skip to the content
      </a>
      <div className={classes.top}>
        <Burger
          size={18}
          opened={menuOpen}
          onClick={() => setMenuOpen(!menuOpen)}
          aria-label={menuOpen ? "Close the navigation" : "Open the navigation"}
        />
        <Link className={classes.brandLink} to={paths.home}>
          <Brand />
        </Link>
      </div>
      <aside className={classes.side}>
        <Link className={classes.brandLink} to={paths.home}>
          <Brand />
        </Link>
        <Navigation />
        <SchemeSwitch />
      </aside>
      <Drawer opened={menuOpen} onClose={() => setMenuOpen(false)} title={<Brand />} size={260}>
        <div className={classes.menu}>
          <Navigation onNavigate={() => setMenuOpen(false)} />
          <SchemeSwitch />
        </div>
      </Drawer>
      <div className={classes.centre}>
        {state === "offline" && <OfflineBanner />}
        {navigation.state === "loading" && (
          <div className={classes.loading} role="status" aria-label="Loading" />
        )}
        <main id="main" ref={main} className={classes.main} tabIndex={-1}>
          <div className={classes.page}>
            {state === "signed-out" ? <SignedOutPage /> : <Outlet />}
          </div>
        </main>
        {state !== "signed-out" && <Tray />}
      </div>
    </div>
  );
}
