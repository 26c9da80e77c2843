import { Button, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { Panel } from "@/components/Panel";
import { PanelError } from "@/components/PanelError";
import { MakeTiny } from "./MakeTiny";
import classes from "./Models.module.css";
import { useAddModel } from "./queries";

const SOURCES = [
  { value: "hub", label: "a hub id" },
  { value: "local", label: "a directory on the server" },
  { value: "tiny", label: "random weights, made here" },
] as const;
type Source = (typeof SOURCES)[number]["value"];

/** Registers a model by where it lies, or has a tiny one made for a data set. */
export function AddModel() {
  const [name, setName] = useState("");
  const [source, setSource] = useState<Source>("hub");
  const shared = (
    <>
      <TextInput
        label="Name"
        maxLength={120}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Select
        label="From"
        allowDeselect={false}
        data={SOURCES.map((one) => ({ ...one }))}
        value={source}
        onChange={(value) => setSource(SOURCES.find((one) => one.value === value)?.value ?? "hub")}
      />
    </>
  );
  return (
    <Panel title="Add a model">
      {source === "tiny" ? (
        <MakeTiny name={name} onMade={() => setName("")}>
          {shared}
        </MakeTiny>
      ) : (
        <Existing key={source} name={name} source={source} onAdded={() => setName("")}>
          {shared}
        </Existing>
      )}
    </Panel>
  );
}

function Existing(props: {
  name: string;
  source: "hub" | "local";
  onAdded: () => void;
  children: React.ReactNode;
}) {
  const { name, source, onAdded, children } = props;
  const [location, setLocation] = useState("");
  const add = useAddModel();
  return (
    <>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate(
            { name, source, location },
            {
              onSuccess: () => {
                onAdded();
                setLocation("");
              },
            },
          );
        }}
      >
        {children}
        <TextInput
          label={source === "hub" ? "Hub id" : "Directory"}
          placeholder={source === "hub" ? "owner/name" : "/path/to/model"}
          value={location}
          onChange={(event) => setLocation(event.currentTarget.value)}
        />
        <Button
          type="submit"
          variant="default"
          loading={add.isPending}
          disabled={name === "" || location === ""}
        >
          Add model
        </Button>
      </form>
      {add.isError && <PanelError error={add.error} />}
    </>
  );
}
