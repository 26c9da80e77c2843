import { Button, Chip, Group, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asApiError } from "@/api/client";
import { Panel } from "@/components/Panel";
import { peopleOptions, useSetReviewer } from "../queries";

/** Asks for the name under which reviews are signed. */
export function WhoAreYou({ onDone }: { onDone?: () => void }) {
  const [name, setName] = useState("");
  const people = useQuery(peopleOptions());
  const set = useSetReviewer();
  const choose = (chosen: string) => set.mutate(chosen, { onSuccess: () => onDone?.() });
  return (
    <Panel title="Who reviews here?">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== "") choose(name);
        }}
      >
        <p>
          Reviews are signed with a name, so that agreement can be measured. This browser remembers
          it.
        </p>
        <Group align="end" gap="xs">
          <TextInput
            label="Your name"
            flex={1}
            maxLength={80}
            autoComplete="nickname"
            value={name}
            error={asApiError(set.error)?.detail}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Button type="submit" loading={set.isPending} disabled={name.trim() === ""}>
            Continue
          </Button>
        </Group>
        {(people.data ?? []).length > 0 && (
          <Group gap="xs" mt="sm" aria-label="People who reviewed before">
            {people.data?.slice(0, 24).map((person) => (
              <Chip
                key={person.id}
                size="sm"
                checked={false}
                onChange={() => choose(person.name)}
                variant="outline"
              >
                {person.name}
              </Chip>
            ))}
          </Group>
        )}
      </form>
    </Panel>
  );
}
