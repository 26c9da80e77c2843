"""Every table and figure of the paper as a preset, with the equal-epoch control that its tables have not."""

from typing import Final

from aft.paper.preset import Preset
from aft.paper.preset_methods import (
    ALL,
    ALPHAS,
    BASELINES,
    BETAS,
    FACTORS,
    KS,
    MINI_ALPHAS,
    MINI_BETAS,
    MINI_KS,
    MODELS,
    RANK_COLUMN,
    RANK_DATA,
    RFT,
    bounded,
    method,
    noisy,
    ranked,
    sampled,
)

PRESETS: Final[tuple[Preset, ...]] = (
    Preset(
        name="miniature",
        title="The paper in miniature",
        paper=(
            "Every method of Tables 2 to 4, 8 and 11 in one comparison: VFT, RFT, AFT with each constraint for both "
            "kinds of feedback, RRHF and PRO with and without a constraint; ranking DPO beside them."
        ),
        look_at="The comparison table and the degradation panel.",
        methods=ALL,
        published=("table2/llama-7b/gsm8k", f"table4/{RANK_COLUMN}", f"table8/{RANK_COLUMN}"),
        miniature="The sweeps of Figures 2a to 2d are presets of their own; `aft reproduce` runs all of them.",
    ),
    Preset(
        name="table-1",
        title="Table 1: fine-tuned models misjudge COTs",
        paper=(
            "VFT of four models on GSM8K and ECQA: they give the right COT the higher score in only 61 to 73 % of the "
            "pairs, and the better they judge, the better they answer (r = 0.93 and 0.98 over the models)."
        ),
        look_at=(
            "Assessment accuracy of VFT; with more data sets and models, the figure of task against assessment "
            "accuracy over models."
        ),
        methods=BASELINES,
        published=tuple(f"table1/{model}/{data}" for model in MODELS for data in ("gsm8k", "ecqa")),
        over_models=True,
        miniature="Five base models made here, from 108 thousand to 1.3 million parameters, on the built-in task.",
    ),
    Preset(
        name="table-2",
        title="Table 2: AFT with right-or-wrong feedback",
        paper=(
            "VFT, RFT and AFT with the detached and the boundary constraint on GSM8K, AQUA-RAT and ECQA, four models: "
            "AFT gains 1 to 4 points over VFT, RFT lies between."
        ),
        look_at=(
            "Task accuracy against VFT and against the control; the other data sets and models go under More data sets "
            "and models."
        ),
        methods=(*BASELINES, RFT, method("aft", "detached"), method("aft", "boundary", boundary_search=True)),
        published=tuple(f"table2/{model}/{data}" for model in MODELS for data in ("gsm8k", "aqua", "ecqa")),
        mini_methods=(
            *BASELINES, RFT, method("aft"), method("aft", "detached"), method("aft", "boundary"),
        ),
        miniature="β is the paper's usual 0.15 rather than searched for, and unconstrained AFT stands beside.",
    ),
    Preset(
        name="table-4",
        title="Table 4: ranking losses with and without a constraint",
        paper=(
            "RRHF, PRO and AFT on 1,000 questions with 8 rated COTs each, LLaMA-7B: without a constraint they judge "
            "better and answer worse than VFT, and the perplexity of right COTs rises; with one all three get better."
        ),
        look_at="The degradation panel: assessment accuracy, task accuracy and perplexity against VFT.",
        methods=(
            *BASELINES, ranked("rrhf"), ranked("pro"), ranked("aft"), ranked("rrhf", "detached"),
            ranked("pro", "detached"), ranked("aft", "boundary", boundary_search=True),
        ),
        published=(f"table4/{RANK_COLUMN}",),
        changes=RANK_DATA,
        mini_methods=(
            *BASELINES, ranked("rrhf"), ranked("rrhf", "detached"), ranked("pro"), ranked("pro", "detached"),
            ranked("aft"), ranked("aft", "boundary"),
        ),
        miniature="Ratings are the task's step oracle's, and β is 0.15.",
    ),
    Preset(
        name="table-3",
        title="Table 3: methods with rated COTs",
        paper=(
            "VFT, RFT, RRHF, PRO and AFT with the boundary constraint on GSM8K-RANK, four models: RRHF and PRO fall "
            "below VFT, AFT is the best."
        ),
        look_at="Task accuracy against VFT and against the control.",
        methods=(
            *BASELINES, RFT, ranked("rrhf"), ranked("pro"), ranked("aft", "boundary", boundary_search=True),
        ),
        published=tuple(f"table3/{model}/gsm8k-rank" for model in MODELS),
        changes=RANK_DATA,
        mini_methods=(*BASELINES, RFT, ranked("rrhf"), ranked("pro"), ranked("aft", "boundary")),
        miniature="Ratings are the task's step oracle's, and β is 0.15.",
    ),
    Preset(
        name="table-8",
        title="Table 8: which constraint for rated COTs",
        paper=(
            "AFT on GSM8K-RANK with the boundary, with every worse COT detached, with the lowest alone detached, and "
            "without a constraint: 26.1, 25.7, 12.6 and 7.0 against VFT's 20.8."
        ),
        look_at="Task accuracy by constraint.",
        methods=(
            *BASELINES, ranked("aft", "boundary"), ranked("aft", "detached"), ranked("aft", "detached-lowest"),
            ranked("aft"),
        ),
        published=(f"table8/{RANK_COLUMN}",),
        changes=RANK_DATA,
    ),
    Preset(
        name="table-11",
        title="Table 11: what PRO's temperature does",
        paper=(
            "PRO with and without its temperature, with and without the detached constraint: without both it falls to "
            "7.2, the constraint lifts either form to 25.4 and more."
        ),
        look_at="Task accuracy of PRO's four forms.",
        methods=(
            *BASELINES, ranked("pro"), ranked("pro", temperature=False), ranked("pro", "detached"),
            ranked("pro", "detached", temperature=False),
        ),
        published=(f"table11/{RANK_COLUMN}",),
        changes=RANK_DATA,
    ),
    Preset(
        name="dpo",
        title="Beyond the paper: ranking DPO, and the boundary on every loss",
        paper=(
            "Eq. 16 is in the paper and was not run there; nor was the boundary constraint on RRHF, PRO and DPO, whose "
            "sign change is then not exactly at the boundary."
        ),
        look_at="Task accuracy of each loss without constraint, detached and with the boundary.",
        methods=(
            *BASELINES, ranked("dpo"), ranked("dpo", "detached"), ranked("dpo", "boundary"),
            ranked("rrhf", "boundary"), ranked("pro", "boundary"),
        ),
        changes=RANK_DATA,
    ),
    Preset(
        name="boundaries",
        title="Beyond the paper: boundaries without a hyper-parameter",
        paper=(
            "An open question of the paper (Appendix H): β has to be searched for. Two rules without it: β is the "
            "spread of the question's scores under the VFT model, or each worse COT's own score there is its boundary."
        ),
        look_at="Task accuracy of the three boundaries, binary feedback.",
        methods=(
            *BASELINES, method("aft", "boundary", boundary_search=True),
            method("aft", "boundary", boundary_rule="spread"), method("aft", "boundary", boundary_rule="floor"),
        ),
    ),
    Preset(
        name="noisy-references",
        title="Beyond the paper: half of the references are wrong",
        paper=(
            "Not in the paper, whose references are right. Half of the training references get wrong steps and keep "
            "their answer: does longer VFT learn the noise, and does feedback on sampled COTs resist it?"
        ),
        look_at="Task accuracy against VFT and against the longer controls.",
        methods=(
            *BASELINES, method("vft-continued", epochs_factor=4), RFT, method("aft", "detached"),
            method("aft", "boundary"),
        ),
        changes={"reference_noise": 0.5},
        mini_changes={"reference_noise": 0.5},
    ),
    Preset(
        name="token-control",
        title="Beyond the paper: controls that see as many tokens",
        paper=(
            "Not in the paper. VFT · continued has as many epochs as VFT and a method together, but a method learns "
            "from its COTs as well: AFT with the detached constraint from about 3 times VFT's tokens, with the "
            "boundary from about 9 times."
        ),
        look_at="Task accuracy against the controls of 3 and 9 times the epochs.",
        methods=(
            *BASELINES, method("vft-continued", epochs_factor=3), method("vft-continued", epochs_factor=9), RFT,
            method("aft", "detached"), method("aft", "boundary"),
        ),
    ),
    Preset(
        name="models",
        title="Beyond the paper: gains over base models",
        paper=(
            "Tables 2 and 3 have four models, each by itself. Here the models differ in size, in what they were taught "
            "or in their seed alone, and the gain over VFT is tested over models, each of which counts once."
        ),
        look_at="The table over models; then each model's own comparison.",
        methods=(*BASELINES, RFT, method("aft"), method("aft", "detached"), method("aft", "boundary")),
        over_models=True,
        miniature="Five base models made here, all with the settings that were found on one of them.",
    ),
    Preset(
        name="figure-2d",
        title="Figure 2d: self-consistency",
        paper="Majority votes over sampled paths gain more with AFT than with VFT as the number of paths grows.",
        look_at="The self-consistency curves.",
        methods=(*BASELINES, method("aft", "detached"), method("aft", "boundary")),
        changes={"self_consistency": (1, 5, 10, 20, 40)},
        mini_changes={"self_consistency": (1, 2, 4, 8, 16), "test_questions": 1000},
        miniature="Up to 16 paths on 1,000 test questions.",
    ),
    Preset(
        name="figure-2c",
        title="Figure 2c: β of the boundary",
        paper="Task accuracy first rises and then falls as β goes from -0.8 to 0.8.",
        look_at="The curve of task accuracy over β.",
        methods=(*BASELINES, *bounded(BETAS)),
        mini_methods=(*BASELINES, *bounded(MINI_BETAS)),
    ),
    Preset(
        name="figure-2b",
        title="Figure 2b: number of candidates k",
        paper="0, 8, 16, 32 and 64 COTs of each question, LLaMA-7B: AFT gets better with every doubling.",
        look_at="The curve of task accuracy over k; k = 0 is VFT.",
        methods=(*BASELINES, *sampled(KS)),
        mini_methods=(*BASELINES, *sampled(MINI_KS)),
        changes={"k": 64},
        mini_changes={"k": 24},
        miniature="3, 6, 12 and 24 COTs.",
    ),
    Preset(
        name="figure-2a",
        title="Figure 2a: quality of the negatives",
        paper=(
            "A share α of the negatives' characters is replaced by full stops: unconstrained AFT and RRHF damage the "
            "model with good negatives (α = 0) and improve it with bad ones."
        ),
        look_at="The curves of task accuracy over α, with VFT as the line.",
        methods=(*BASELINES, *noisy(ALPHAS)),
        mini_methods=(*BASELINES, *noisy(MINI_ALPHAS)),
        miniature="Words that full stops were put into are unknown to the built-in tokenizer, which has whole words.",
    ),
    Preset(
        name="table-10",
        title="Table 10: RRHF's gradient factor",
        paper=(
            "RRHF's loss times 0.1 to 1 on GSM8K-RANK: the larger the factor the lower the accuracy, from 18.8 to 7.5; "
            "no factor reaches VFT's 20.8."
        ),
        look_at="The curve of task accuracy over the factor.",
        methods=(*BASELINES, *(ranked("rrhf", beta=factor) for factor in FACTORS)),
        published=(f"table10/{RANK_COLUMN}",),
        changes=RANK_DATA,
        mini_methods=(*BASELINES, *(ranked("rrhf", beta=factor) for factor in (0.1, 0.3, 1.0))),
        miniature="Three factors.",
    ),
    Preset(
        name="table-7",
        title="Table 7: the search for β",
        paper="β by task accuracy on validation questions, among 0 to 0.5 in steps of 0.05: mostly 0.15.",
        look_at="The run that chooses β, with the accuracy of every value.",
        methods=(
            *BASELINES, method("aft", "boundary", boundary_search=True),
            method("aft", "boundary", boundary_search=True, feedback="ranking"),
        ),
        miniature="Eight values on seed 0.",
    ),
    Preset(
        name="table-5",
        title="Table 5: several tasks at once",
        paper=(
            "LLaMA-7B trained on GSM8K, AQUA-RAT and ECQA together and tested on each, and on MMLU which it never saw: "
            "AFT gains 1 to 5 points over VFT everywhere."
        ),
        look_at=(
            "Task accuracy. Train on a data set that holds the three training sets, and name each task's data set, "
            "MMLU among them, under Also test on."
        ),
        methods=(*BASELINES, method("aft", "detached"), method("aft", "boundary")),
        published=tuple(f"table5/llama-7b/{data}" for data in ("gsm8k", "aqua", "ecqa", "mmlu")),
        miniature="The built-in data has one task with three kinds of question, so that nothing is out of its domain.",
    ),
    Preset(
        name="table-12",
        title="Table 12: one question under every method",
        paper=(
            "Appendix G: the same question answered by VFT, AFT and AFT without its boundary. VFT goes wrong at the "
            "second step, AFT is right, and without the boundary the answer repeats itself without end."
        ),
        look_at="The case study: answers side by side, the first wrong step marked, repetition measured.",
        methods=(*BASELINES, method("aft", "boundary"), method("aft")),
    ),
)  # fmt: skip


def get_preset(name: str) -> Preset:
    """The preset of a name.

    Raises:
        KeyError: If there is none.
    """
    if name not in NAMES:
        raise KeyError(f"There is no preset '{name}'. Choose one of {', '.join(NAMES)}.")
    return PRESETS[NAMES.index(name)]


NAMES: Final = tuple(preset.name for preset in PRESETS)
