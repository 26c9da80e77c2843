import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { LISTS, METHOD_NUMBERS, NUMBERS, type NumberInfo } from "./fields";
import { LONGEST_LABEL } from "./methods";

interface Node {
  $ref?: string;
  anyOf?: Node[];
  items?: Node;
  type?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  maxItems?: number;
  maxLength?: number;
  properties?: Record<string, Node>;
}
const api = JSON.parse(readFileSync("openapi.json", "utf8")) as {
  components: { schemas: Record<string, Node> };
};

/** What the server takes at a path such as `lora.rank`; null is one of its values or not. */
function serverNode(root: string, path: string): { node: Node; optional: boolean } {
  const schema = (name: string) => api.components.schemas[name] ?? {};
  let node: Node = schema(root);
  let optional = false;
  for (const key of path.split(".")) {
    node = node.properties?.[key] ?? {};
    optional = node.anyOf?.some((one) => one.type === "null") ?? false;
    node = node.anyOf?.find((one) => one.type !== "null") ?? node;
    if (node.$ref !== undefined) node = schema(node.$ref.split("/").at(-1) ?? "");
  }
  return { node, optional };
}

const boundsOf = (info: NumberInfo) => ({
  minimum: info.min,
  maximum: info.max,
  exclusiveMinimum: info.above,
  exclusiveMaximum: info.below,
  whole: info.integer ?? false,
});
const serversBounds = ({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, type }: Node) => ({
  minimum,
  maximum,
  exclusiveMinimum,
  exclusiveMaximum,
  whole: type === "integer",
});

it.each(Object.entries<NumberInfo>(NUMBERS))("%s has the server's bounds", (path, info) => {
  const { node, optional } = serverNode("ExperimentSpec", path);
  expect(boundsOf(info)).toEqual(serversBounds(node));
  if (optional) expect(info.empty).toBeDefined();
});

it.each(Object.entries<NumberInfo>(METHOD_NUMBERS))("a method's %s, too", (path, info) => {
  expect(boundsOf(info)).toEqual(serversBounds(serverNode("MethodConfig", path).node));
});

it.each(Object.entries(LISTS))("and the list %s", (path, info) => {
  const { node } = serverNode("ExperimentSpec", path);
  expect(boundsOf(info.item)).toEqual(serversBounds(node.items ?? {}));
  expect([info.least, info.most]).toEqual([node.minItems ?? 0, node.maxItems]);
});

it("and the longest name", () => {
  expect(serverNode("MethodConfig", "label").node.maxLength).toBe(LONGEST_LABEL);
});
