/** The frame alone, as `index.html` shows it before: a page's own program is on its way. */
export function StartingPage() {
  return (
    <div className="aft-starting" aria-hidden="true">
      AFT Workbench
    </div>
  );
}
