import { Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { counted } from "@/components/format";
import { Notice } from "@/components/Notice";
import { type RankingChoice, rankingSetOptions, rankingSetsOptions } from "./ranking";

interface Props {
  ranking: RankingChoice;
  versionId: string | null;
  problem: string | undefined;
  onChange: (ranking: RankingChoice | null) => void;
}

const NOTHING = "";

/** Which ratings this experiment trains on, and with which the models' scores are compared. */
export function RankingNotice({ ranking, versionId, problem, onChange }: Props) {
  const set = useQuery(rankingSetOptions(ranking.setId));
  const sets = useQuery(rankingSetsOptions());
  const comparable = (sets.data ?? []).filter((one) => one.dataset_version_id === versionId);
  return (
    <Notice
      level={problem === undefined ? "note" : "error"}
      title={
        set.data === undefined ? (
          "Ranking set"
        ) : (
          <>
            Trains on <bdi>{set.data.name}</bdi> v{set.data.version}:{" "}
            {counted(set.data.statistics.pairs, "pair")} of{" "}
            {counted(set.data.statistics.questions_with_pairs, "question")}
          </>
        )
      }
      action={
        <Button size="xs" variant="default" onClick={() => onChange(null)}>
          Train without it
        </Button>
      }
    >
      <p>
        {problem ??
          "No COTs are sampled for training; COTs without a rating are left out, and questions without a pair train through VFT only."}
      </p>
      <Select
        label="Compare the models’ scores with"
        maw={360}
        mt={8}
        allowDeselect={false}
        value={ranking.agreementSetId ?? NOTHING}
        data={[
          { value: NOTHING, label: "No ranking set" },
          ...comparable.map((one) => ({
            value: one.id,
            label: `${one.name} v${one.version}${one.id === ranking.setId ? " (trained on)" : ""}`,
          })),
        ]}
        onChange={(value) => onChange({ ...ranking, agreementSetId: value || null })}
      />
    </Notice>
  );
}
