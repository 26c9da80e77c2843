/** A message of the server: what stands between backticks is exact text, a command or a name. */
export function Words({ children }: { children: string }) {
  return children.split(/`([^`]+)`/).map((part, index) => {
    // Splitting by one group puts the exact text at odd places; a message never reorders its parts.
    const key = `${index} ${part}`;
    return index % 2 === 1 ? <code key={key}>{part}</code> : part;
  });
}
