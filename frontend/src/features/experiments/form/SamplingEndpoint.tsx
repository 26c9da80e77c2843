import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { endpointsOptions } from "../queries";

interface Props {
  value: string | null;
  problem: string | undefined;
  onChange: (name: string | null) => void;
}

/** Which endpoint of the settings samples, with what a person has to do for it. */
export function SamplingEndpoint({ value, problem, onChange }: Props) {
  const endpoints = useQuery(endpointsOptions());
  const none = endpoints.data?.length === 0;
  const failed = endpoints.isError
    ? "The endpoints could not be read. Reload the page."
    : undefined;
  return (
    <Select
      label="Endpoint"
      description="It must serve each seed's VFT model under this name, which exists only once it is trained: the sampling run compares log-probabilities first, and says what to serve where they differ; retry it then. Sampled test paths stay with the built-in engine."
      placeholder={none ? "none in the settings" : "choose one"}
      disabled={endpoints.isPending}
      data={(endpoints.data ?? []).map((one) => ({
        value: one.name,
        label: `${one.name} · ${one.model}`,
      }))}
      value={value}
      error={problem ?? failed}
      onChange={onChange}
    />
  );
}
