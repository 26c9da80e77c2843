/** The settings that are numbers: name, help and bounds. The bounds are the server's; a test compares them. */

export interface NumberInfo {
  label: string;
  help: string;
  integer?: boolean;
  min?: number;
  max?: number;
  /** The bounds themselves are not allowed. */
  above?: number;
  below?: number;
  /** What an empty field means; without it the field must be filled. */
  empty?: string;
}

export const NUMBERS = {
  k: {
    label: "k, COTs a question",
    help: "Candidate COTs sampled for each training question.",
    integer: true,
    min: 2,
    max: 1024,
  },
  temperature: {
    label: "Temperature",
    help: "Sampling temperature. Higher gives more varied candidates, and more wrong ones.",
    above: 0,
    max: 10,
  },
  "optimizer.epochs": {
    label: "Epochs",
    help: "Passes over the training questions. VFT · continued gets twice as many from the base model.",
    integer: true,
    min: 1,
    max: 1000,
  },
  "optimizer.learning_rate": {
    label: "Learning rate",
    help: "Peak learning rate of AdamW, with linear warm-up and linear decay.",
    above: 0,
    max: 1,
  },
  train_questions: {
    label: "Training questions",
    help: "Training questions used, drawn by seed. Empty: all of the split.",
    integer: true,
    min: 1,
    empty: "all",
  },
  reference_noise: {
    label: "Noisy references",
    help: "Share of training references whose steps are made wrong, their answer staying right. Empty: none.",
    above: 0,
    max: 1,
    empty: "none",
  },
  test_questions: {
    label: "Test questions",
    help: "Test questions decoded for task accuracy. Empty: all of the split.",
    integer: true,
    min: 1,
    empty: "all",
  },
  validation_questions: {
    label: "Validation questions",
    help: "Validation questions decoded greedily at each evaluation during training; 0 turns it off.",
    integer: true,
    min: 0,
  },
  evaluations_per_run: {
    label: "Evaluations a run",
    help: "How many times the validation split is looked at during training.",
    integer: true,
    min: 0,
    max: 1000,
  },
  watch_questions: {
    label: "Watched questions",
    help: "Assessment questions scored at each evaluation during training, for the degradation alarm; 0 turns it off.",
    integer: true,
    min: 0,
    max: 100_000,
  },
  assessment_questions: {
    label: "Assessment questions",
    help: "Training questions with freshly sampled candidates for assessment accuracy.",
    integer: true,
    min: 1,
  },
  assessment_samples: {
    label: "Fresh COTs a question",
    help: "Fresh candidates drawn for each assessment question.",
    integer: true,
    min: 2,
    max: 1024,
  },
  candidates_per_side: {
    label: "Right and wrong COTs compared",
    help: "Positives and negatives compared for each assessment question; the paper has 3 and 3.",
    integer: true,
    min: 1,
    max: 64,
  },
  max_new_tokens: {
    label: "New tokens at most",
    help: "Longest sampled COT, in tokens. A COT that is cut has no answer and is never right.",
    integer: true,
    min: 1,
    max: 131_072,
  },
  max_length: {
    label: "Sequence length at most",
    help: "Longest question plus response, in tokens; longer examples are refused before training.",
    integer: true,
    min: 8,
    max: 131_072,
  },
  tokens_per_microbatch: {
    label: "Tokens a micro-batch",
    help: "Memory budget: tokens in one forward and backward pass. Results do not depend on it.",
    integer: true,
    min: 64,
  },
  "optimizer.questions_per_step": {
    label: "Questions a step",
    help: "Question groups in one optimizer step, over all devices.",
    integer: true,
    min: 1,
    max: 4096,
  },
  "optimizer.warmup_fraction": {
    label: "Warm-up share",
    help: "Share of the steps in which the learning rate rises linearly.",
    min: 0,
    max: 1,
  },
  "optimizer.weight_decay": {
    label: "Weight decay",
    help: "AdamW's decoupled weight decay.",
    min: 0,
    max: 1,
  },
  "optimizer.adam_beta1": {
    label: "Adam β₁",
    help: "Decay of AdamW's mean of gradients.",
    min: 0,
    below: 1,
  },
  "optimizer.adam_beta2": {
    label: "Adam β₂",
    help: "Decay of AdamW's mean of squared gradients.",
    min: 0,
    below: 1,
  },
  "optimizer.max_grad_norm": {
    label: "Gradient norm at most",
    help: "Gradients are clipped to this norm.",
    above: 0,
  },
  "lora.rank": {
    label: "LoRA rank",
    help: "Trains low-rank factors of this rank beside frozen weights. Empty: all weights are trained.",
    integer: true,
    min: 1,
    max: 1024,
    empty: "all weights",
  },
  "lora.alpha": {
    label: "LoRA α",
    help: "The factors' update is scaled by α / rank. Default 32.",
    above: 0,
    max: 8192,
    empty: "32",
  },
  path_temperature: {
    label: "Temperature of paths",
    help: "Sampling temperature of the paths that self-consistency and pass@k are counted on.",
    above: 0,
    max: 10,
  },
  "beta_search.questions": {
    label: "Questions of the β search",
    help: "Validation questions decoded for each β that is tried. Empty: all of the split.",
    integer: true,
    min: 1,
    empty: "all",
  },
  "parallel.processes": {
    label: "Processes a training",
    help: "Processes that share each training on one machine; with GPUs one for each.",
    integer: true,
    min: 1,
    max: 64,
  },
} as const satisfies Record<string, NumberInfo>;

export type NumberPath = keyof typeof NUMBERS;
export const NUMBER_PATHS = Object.keys(NUMBERS) as NumberPath[];
export const infoOf = (path: NumberPath): NumberInfo => NUMBERS[path];

/** Bounds of a method's own numbers; empty means the default. */
export const METHOD_NUMBERS = {
  boundary_beta: {
    label: "β of the boundary",
    help: "Nats a token. Wrong COTs are not pushed below the lowest better score minus β. Default 0.15.",
    min: -5,
    max: 5,
    empty: "0.15",
  },
  beta: {
    label: "β",
    help: "RRHF's gradient factor (Table 10) or DPO's β. Default 1.",
    above: 0,
    max: 100,
    empty: "1",
  },
  weight: {
    label: "Weight",
    help: "Weight of the ranking loss beside the VFT loss. Default 1.",
    above: 0,
    max: 100,
    empty: "1",
  },
  k: {
    label: "k",
    help: "Only the first k sampled COTs of each question. Default: all of the experiment's.",
    integer: true,
    min: 2,
    max: 1024,
    empty: "all",
  },
  negative_noise: {
    label: "α",
    help: "Share of a wrong COT's characters that full stops replace (Figure 2a). Default none.",
    min: 0,
    max: 1,
    empty: "none",
  },
  epochs_factor: {
    label: "Epochs in all",
    help: "How many times the experiment's epochs the control has. Default 2, equal in epochs; more for equal tokens.",
    integer: true,
    min: 2,
    max: 100,
    empty: "2",
  },
} as const satisfies Record<string, NumberInfo>;

export const CHOICES = {
  judge: {
    label: "Judge",
    help: "Who rates the COTs. Answer: right or wrong by the final answer. Step oracle: 1 to 10 by checking every step; arithmetic task only.",
    options: [
      { value: "answer", label: "Answer" },
      { value: "oracle", label: "Step oracle" },
    ],
  },
  feedback: {
    label: "Feedback",
    help: "What the ranking methods train on: right or wrong, or the judge's ratings. A method may say otherwise.",
    options: [
      { value: "binary", label: "Right or wrong" },
      { value: "ranking", label: "Ratings" },
    ],
  },
  labels: {
    label: "Labels",
    help: "Which labels right-or-wrong feedback trains on: as the COTs were sampled, or with the newest re-grade and people's labels in their place. Evaluation always counts them as sampled.",
    options: [
      { value: "sampled", label: "As sampled" },
      { value: "corrected", label: "Corrected" },
    ],
  },
  start_from: {
    label: "Start from",
    help: "Where methods other than VFT start: the base model, the paper's choice, or the VFT model.",
    options: [
      { value: "base", label: "Base model" },
      { value: "vft", label: "VFT model" },
    ],
  },
  vft_reduction: {
    label: "VFT loss over tokens",
    help: "Eq. 1 as a mean over each reference's tokens, as the sum it is written as, or with every token of a step alike.",
    options: [
      { value: "token-mean", label: "Mean per reference" },
      { value: "token-sum", label: "Sum" },
      { value: "batch-token-mean", label: "Mean over the step" },
    ],
  },
  on_degradation: {
    label: "On degradation",
    help: "When assessment accuracy rises while task accuracy falls and perplexity rises: warn, or end the run's training.",
    options: [
      { value: "warn", label: "Warn" },
      { value: "stop", label: "End the training" },
    ],
  },
  keep: {
    label: "Final model",
    help: "The last step's model, the paper's choice, or the best by validation task accuracy.",
    options: [
      { value: "last", label: "Last step" },
      { value: "best", label: "Best on validation" },
    ],
  },
  sampling_engine: {
    label: "Sampling engine",
    help: "Who samples the COTs. Built-in: repeatable by seed. vLLM: in the run's own process, on a GPU. Server: one you start yourself with each seed's VFT model.",
    options: [
      { value: "builtin", label: "Built-in" },
      { value: "vllm", label: "vLLM" },
      { value: "openai", label: "OpenAI-compatible server" },
    ],
  },
  precision: {
    label: "Precision",
    help: "Arithmetic of training and sampling. bfloat16 halves the memory and needs a device that has it.",
    options: [
      { value: "float32", label: "float32" },
      { value: "bfloat16", label: "bfloat16" },
    ],
  },
  choice_likelihood: {
    label: "Likeliest letter",
    help: "For tasks with choices: also measure the letter that is likeliest without a COT, as MMLU is often reported.",
    options: [
      { value: "false", label: "Off" },
      { value: "true", label: "On" },
    ],
  },
  "lora.quantize": {
    label: "Frozen weights under LoRA",
    help: "In 4 bits is QLoRA: a quarter of the memory or less, with bitsandbytes; for NVIDIA GPUs, slow on a CPU.",
    options: [
      { value: "none", label: "As loaded" },
      { value: "4bit", label: "4 bits (QLoRA)" },
    ],
  },
  "parallel.strategy": {
    label: "What processes share",
    help: "Data-parallel: each keeps everything. ZeRO (DeepSpeed) spreads the optimizer's state, then gradients, then weights.",
    options: [
      { value: "none", label: "One process" },
      { value: "ddp", label: "Data-parallel" },
      { value: "zero1", label: "ZeRO 1: optimizer" },
      { value: "zero2", label: "ZeRO 2: and gradients" },
      { value: "zero3", label: "ZeRO 3: and weights" },
    ],
  },
  "parallel.offload": {
    label: "Offload (ZeRO)",
    help: "Keep what ZeRO spreads in the machine's memory instead of the GPU's. Slower.",
    options: [
      { value: "false", label: "Off" },
      { value: "true", label: "On" },
    ],
  },
  activation_checkpointing: {
    label: "Activation checkpointing",
    help: "Keep only each layer's input for the backward pass: less memory, a third more time.",
    options: [
      { value: "false", label: "Off" },
      { value: "true", label: "On" },
    ],
  },
} as const;

/** Choices that are true or false in the specification. */
export const SWITCHES: readonly string[] = [
  "parallel.offload",
  "activation_checkpointing",
  "choice_likelihood",
];

export type ChoicePath = keyof typeof CHOICES;
export const CHOICE_PATHS = Object.keys(CHOICES) as ChoicePath[];

export interface ListInfo {
  label: string;
  help: string;
  /** What each value may be. */
  item: NumberInfo;
  least: number;
  most: number;
}

/** The settings that are several numbers, as typed one by one. */
export const LISTS = {
  self_consistency: {
    label: "Self-consistency, n",
    help: "Majority votes over the first n sampled paths, for each n (Figure 2d). None: no paths are sampled for it.",
    item: { label: "n of self-consistency", help: "", integer: true, min: 1, max: 1024 },
    least: 0,
    most: 20,
  },
  pass_at_k: {
    label: "pass@k, k",
    help: "Chance that one of k sampled paths is right, for each k, from the same paths.",
    item: { label: "k of pass@k", help: "", integer: true, min: 1, max: 1024 },
    least: 0,
    most: 20,
  },
  "beta_search.betas": {
    label: "β tried",
    help: "For methods whose boundary is β by validation, in nats a token. The paper tries 0 to 0.5 in steps of 0.05.",
    item: { label: "β of the search", help: "", min: -5, max: 5 },
    least: 2,
    most: 50,
  },
  "beta_search.seeds": {
    label: "Seeds of the β search",
    help: "Seeds of the trainings that choose β; none of the experiment's own.",
    item: { label: "Seed of the β search", help: "", integer: true, min: 0, below: 2 ** 31 },
    least: 1,
    most: 10,
  },
} as const satisfies Record<string, ListInfo>;

export type ListPath = keyof typeof LISTS;
export const LIST_PATHS = Object.keys(LISTS) as ListPath[];

/** Where else curves and results can go, in files on this machine. */
export const TRACKERS = [
  { value: "tensorboard", label: "TensorBoard" },
  { value: "mlflow", label: "MLflow" },
  { value: "wandb", label: "Weights & Biases (offline)" },
] as const;

/** A number as a person would type it: 2e-5 rather than 0.00002. */
export function numberText(value: number | null | undefined): string {
  if (value === null || value === undefined) return "";
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);
}

/** What was typed as a number, null for nothing, or what is wrong with it in words. */
export function readNumber(text: string, info: NumberInfo): number | null | { problem: string } {
  const typed = text.replace(/[\s\u202f]/g, "");
  if (typed === "") {
    if (info.empty !== undefined) return null;
    return { problem: `${info.label} is empty. ${rangeOf(info)}` };
  }
  const value = Number(typed);
  const { min, max, above, below, integer = false } = info;
  const fits =
    Number.isFinite(value) &&
    (!integer || Number.isInteger(value)) &&
    (min === undefined || value >= min) &&
    (max === undefined || value <= max) &&
    (above === undefined || value > above) &&
    (below === undefined || value < below);
  return fits ? value : { problem: `${info.label} is ${text.trim()}. ${rangeOf(info)}` };
}

/** What is wrong with a number as typed; undefined when nothing is. */
export function problemOf(text: string, info: NumberInfo): string | undefined {
  const value = readNumber(text, info);
  return typeof value === "object" ? value?.problem : undefined;
}

function rangeOf({ integer, min, max, above, below, empty }: NumberInfo): string {
  const low = min !== undefined ? `from ${min}` : above !== undefined ? `above ${above}` : "";
  const high = max !== undefined ? `to ${max}` : below !== undefined ? `below ${below}` : "";
  const range = [low, high].filter((part) => part !== "").join(" ");
  const otherwise = empty === undefined ? "" : `, or leave it empty for ${empty}`;
  return `Use a ${integer ? "whole " : ""}number${range === "" ? "" : ` ${range}`}${otherwise}.`;
}

/** What was typed as numbers, or what is wrong with them in words. */
export function readList(texts: readonly string[], info: ListInfo): number[] | { problem: string } {
  const numbers: number[] = [];
  for (const text of texts) {
    const value = readNumber(text, info.item);
    if (typeof value === "object") return value ?? { problem: `${info.item.label} is empty.` };
    numbers.push(value);
  }
  const repeated = numbers.find((value, place) => numbers.indexOf(value) !== place);
  if (repeated !== undefined)
    return { problem: `${info.label}: ${repeated} is given twice. Remove one.` };
  if (numbers.length < info.least || numbers.length > info.most)
    return {
      problem: `${info.label}: ${numbers.length} given. Give ${info.least} to ${info.most} values.`,
    };
  return numbers;
}
