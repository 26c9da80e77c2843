"""From a specification to runs."""

import pytest
from pydantic import ValidationError

from aft.config.experiment import ExperimentSpec
from aft.config.method import MethodConfig, method_label
from aft.config.sampling import EvaluateConfig, SampleConfig
from aft.config.training import BuiltinModelConfig, TrainConfig
from backend.services import estimates, warnings
from backend.services.planning import plan_runs
from backend.services.warnings import Surroundings, check

SIZES = estimates.Sizes(
    parameters=342_720,
    train_questions=4000,
    validation_questions=1000,
    test_questions=2000,
    question_tokens=31,
    reference_tokens=22,
)
AROUND = Surroundings(
    task="arithmetic",
    sizes=SIZES,
    window=1024,
    longest_question_tokens=60,
    workers_alive=2,
    disk_free_bytes=10**12,
    disk_needed_bytes=10**6,
)


def make_spec(**changes: object) -> ExperimentSpec:
    body: dict[str, object] = {
        "name": "test",
        "dataset_version_id": "v",
        "split_id": "s",
        "base_model_id": "m",
        "methods": [{"name": "vft"}, {"name": "vft-continued"}, {"name": "aft", "constraint": "detached"}],
        "seeds": [1, 2, 3],
    }
    return ExperimentSpec.model_validate(body | changes)


def test_vft_and_sampling_are_shared_by_all_methods_of_a_seed() -> None:
    spec = make_spec(methods=[{"name": "vft"}, {"name": "rft"}, {"name": "aft"}, {"name": "rrhf"}], seeds=[1])
    planned = plan_runs(spec, None)
    stages = [run.stage for run in planned]
    assert stages.count("vft") == 1
    assert stages.count("sample") == 1
    assert stages.count("assessment-sample") == 1
    assert stages.count("train") == 3
    assert stages.count("evaluate") == 4
    candidates = {run.parents["candidates"] for run in planned if run.stage == "train"}
    assert candidates == {"seed 1/candidates"}


def test_a_control_of_more_epochs_has_them_in_all_wherever_it_starts() -> None:
    methods = [{"name": "vft"}, {"name": "vft-continued"}, {"name": "vft-continued", "epochs_factor": 3}]
    for start_from, expected in (("base", [3, 6, 9]), ("vft", [3, 3, 6])):
        spec = make_spec(methods=methods, seeds=[1], start_from=start_from)
        configs = [run.config for run in plan_runs(spec, None) if isinstance(run.config, TrainConfig)]
        assert [config.optimizer.epochs for config in configs] == expected
    labels = [method_label(method) for method in spec.methods]
    assert labels == ["VFT", "VFT · continued", "VFT · continued · 3 x epochs"]
    with pytest.raises(ValidationError, match="epochs_factor 3 does not apply to method 'rft'"):
        MethodConfig(name="rft", epochs_factor=3)


def test_noisy_references_reach_every_training() -> None:
    runs = plan_runs(make_spec(reference_noise=0.5), None)
    assert {run.config.reference_noise for run in runs if isinstance(run.config, TrainConfig)} == {0.5}


def test_parents_come_before_children_and_cells_are_unique() -> None:
    planned = plan_runs(make_spec(), BuiltinModelConfig())
    seen: set[str] = set()
    for run in planned:
        assert set(run.parents.values()) <= seen
        assert run.cell not in seen
        seen.add(run.cell)


def test_methods_start_from_the_base_model_or_from_vft() -> None:
    from_base = {run.cell: run for run in plan_runs(make_spec(seeds=[1]), BuiltinModelConfig())}
    assert from_base["seed 1/AFT · detached/train"].parents["start"] == "base"
    from_vft = {run.cell: run for run in plan_runs(make_spec(seeds=[1], start_from="vft"), BuiltinModelConfig())}
    assert from_vft["seed 1/AFT · detached/train"].parents["start"] == "seed 1/VFT/train"
    assert from_vft["seed 1/VFT/train"].parents["start"] == "base"


def test_the_control_has_as_many_epochs_as_the_methods_pipeline() -> None:
    for start, expected in (("base", 12), ("vft", 6)):
        spec = make_spec(seeds=[1], start_from=start, optimizer={"epochs": 6})
        runs = {run.cell: run for run in plan_runs(spec, None)}
        config = runs["seed 1/VFT · continued/train"].config
        assert isinstance(config, TrainConfig)
        assert config.optimizer.epochs == expected


def test_ratings_are_made_only_where_a_method_uses_them() -> None:
    methods = [{"name": "vft"}, {"name": "pro", "feedback": "ranking"}, {"name": "aft"}]
    runs = {run.cell: run for run in plan_runs(make_spec(seeds=[1], judge="oracle", methods=methods), None)}
    assert runs["seed 1/PRO · none/train"].parents["ratings"] == "seed 1/ratings"
    assert "ratings" not in runs["seed 1/AFT · none/train"].parents
    without = plan_runs(make_spec(seeds=[1], judge="oracle"), None)
    assert all(run.kind != "rate" for run in without)


def test_dpo_scores_against_the_vft_model() -> None:
    runs = {run.cell: run for run in plan_runs(make_spec(seeds=[1], methods=[{"name": "vft"}, {"name": "dpo"}]), None)}
    assert runs["seed 1/DPO · none/train"].parents["reference"] == "seed 1/VFT/train"


def test_the_sampling_draws_what_the_largest_k_needs_and_each_method_takes_its_own() -> None:
    methods = [{"name": "vft"}, {"name": "aft"}, {"name": "aft", "k": 2}, {"name": "rft", "k": 16}]
    runs = {run.cell: run for run in plan_runs(make_spec(seeds=[1], k=8, methods=methods), None)}
    sampling = runs["seed 1/candidates"].config
    assert isinstance(sampling, SampleConfig)
    assert sampling.k == 16
    used = {cell: run.config.method.k for cell, run in runs.items() if isinstance(run.config, TrainConfig)}
    assert used == {
        "seed 1/VFT/train": None, "seed 1/AFT · none/train": 8, "seed 1/AFT · none · k 2/train": 2,
        "seed 1/RFT · k 16/train": None,
    }  # fmt: skip


def test_settings_that_say_nothing_make_no_second_training() -> None:
    methods = [{"name": "aft"}, {"name": "aft", "negative_noise": 0}, {"name": "aft", "k": 6}]
    runs = [run for run in plan_runs(make_spec(seeds=[1], methods=methods), None) if run.stage == "train"]
    assert len(runs) == 3
    assert all(run.config == runs[0].config for run in runs)


SEARCHED = {"name": "aft", "constraint": "boundary", "boundary_search": True}


def test_beta_is_searched_for_on_validation_questions_and_seeds_of_its_own() -> None:
    search = {"betas": [0, 0.15, 0.3], "seeds": [7, 8]}
    spec = make_spec(seeds=[1, 2], methods=[{"name": "vft"}, SEARCHED], beta_search=search)
    runs = {run.cell: run for run in plan_runs(spec, BuiltinModelConfig())}
    chosen = runs["AFT · boundary · searched β/search"]
    assert len(chosen.parents) == 6
    for seed in (7, 8):
        for place, beta in enumerate((0, 0.15, 0.3)):
            looked = runs[chosen.parents[f"{place}/{seed}"]]
            assert isinstance(looked.config, EvaluateConfig)
            assert looked.config.part == "validation"
            trained = runs[looked.parents["checkpoint"]]
            assert isinstance(trained.config, TrainConfig)
            assert trained.config.method.boundary_beta == beta
            assert trained.config.seed == trained.inputs["question_seed"] == seed
    # Nothing that the choice rests on has seen a test question, directly or through an input run.
    before, left = set(), [chosen.cell]
    while left:
        before.add(cell := left.pop())
        left += runs[cell].parents.values()
    configs = [runs[cell].config for cell in before]
    assert {config.part for config in configs if isinstance(config, EvaluateConfig)} == {"validation"}
    assert not {runs[cell].seed for cell in before} & {1, 2}
    for seed in (1, 2):
        training = runs[f"seed {seed}/AFT · boundary · searched β/train"]
        assert training.parents["search"] == chosen.cell
        assert isinstance(training.config, TrainConfig)
        assert training.config.method.boundary_search


def test_a_search_on_reported_seeds_is_refused() -> None:
    with pytest.raises(ValidationError, match="chosen on what is reported"):
        make_spec(seeds=[0, 1], methods=[SEARCHED])
    assert make_spec(seeds=[0, 1]).beta_search.seeds == (0,)


def test_parents_of_a_search_come_before_it() -> None:
    seen: set[str] = set()
    for run in plan_runs(make_spec(methods=[SEARCHED, {**SEARCHED, "feedback": "ranking"}], judge="oracle"), None):
        assert set(run.parents.values()) <= seen
        assert run.cell not in seen
        seen.add(run.cell)


@pytest.mark.parametrize(
    ("method", "label"),
    [
        ({"name": "aft", "constraint": "boundary"}, "AFT · boundary"),
        ({"name": "rrhf"}, "RRHF · none"),
        ({"name": "vft-continued"}, "VFT · continued"),
        ({"name": "aft", "constraint": "boundary", "boundary_beta": -0.4}, "AFT · boundary · β -0.4"),
        ({"name": "pro", "temperature": False}, "PRO · none · no temperature"),
        ({"name": "aft", "constraint": "boundary", "boundary_search": True}, "AFT · boundary · searched β"),
        ({"name": "rft", "distinct": "equations"}, "RFT · distinct equations"),
        ({"name": "rrhf", "sft_on": "best"}, "RRHF · none · SFT on best"),
        ({"name": "rrhf", "k": 4, "negative_noise": 0}, "RRHF · none · k 4 · α 0"),
    ],
)
def test_labels_are_the_papers_with_the_constraint_behind_a_dot(method: dict[str, object], label: str) -> None:
    assert method_label(MethodConfig.model_validate(method)) == label


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ({"name": "vft", "constraint": "boundary"}, "does not apply to method 'vft'"),
        ({"name": "vft", "weight": 2}, "weight 2 does not apply to method 'vft', which has no ranking loss to weigh"),
        ({"name": "rft", "weight": 0.5}, "weight 0.5 does not apply to method 'rft'"),
        ({"name": "aft", "constraint": "detached", "boundary_beta": 0.1}, "does not apply to constraint 'detached'"),
        ({"name": "aft", "beta": 0.5}, "only rrhf and dpo have one"),
        ({"name": "rrhf", "temperature": False}, "only pro has one"),
        ({"name": "aft", "distinct": "equations"}, "only rft has it"),
        ({"name": "vft", "k": 4}, "which uses no candidates"),
        ({"name": "vft", "negative_noise": 0.1}, "does not apply to 'VFT · α 0.1'"),
        ({"name": "dpo", "negative_noise": 0.1}, "as sampled"),
        ({"name": "aft", "boundary_search": True}, "does not go with constraint 'none'"),
        ({"name": "aft", "constraint": "boundary", "boundary_beta": 0.2, "boundary_search": True}, "given otherwise"),
    ],
)
def test_a_setting_that_does_not_apply_is_refused_with_the_remedy(method: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        MethodConfig.model_validate(method)


def test_equal_methods_and_equal_seeds_are_refused() -> None:
    with pytest.raises(ValidationError, match="appears 2 times"):
        make_spec(methods=[{"name": "aft"}, {"name": "aft"}])
    with pytest.raises(ValidationError, match="repeat a value"):
        make_spec(seeds=[1, 1])


def findings(**changes: object) -> dict[str, str]:
    around = changes.pop("around", AROUND)
    assert isinstance(around, Surroundings)
    return {item.message: item.level for item in check(make_spec(**changes), around)}


def test_an_unconstrained_method_is_warned_about() -> None:
    found = findings(methods=[{"name": "vft"}, {"name": "rrhf"}])
    assert any("No constraint on RRHF · none" in message for message in found)


def test_a_missing_baseline_and_control_are_said() -> None:
    assert any("no baseline" in message for message in findings(methods=[{"name": "aft", "constraint": "boundary"}]))
    assert any("control" in message for message in findings(methods=[{"name": "vft"}, {"name": "rft"}]))


def test_impossible_settings_are_errors_that_name_the_value() -> None:
    found = findings(max_length=4096, judge="oracle")
    assert found["max_length is 4096, the model's window is 1024 tokens."] == "error"
    gsm8k = Surroundings(
        task="gsm8k",
        sizes=estimates.Sizes(1, 0, 0, 0, 10, 10),
        window=None,
        longest_question_tokens=0,
        workers_alive=0,
        disk_free_bytes=1,
        disk_needed_bytes=10**9,
    )
    found = findings(judge="oracle", around=gsm8k)
    errors = [message for message, level in found.items() if level == "error"]
    assert any("no train questions" in message for message in errors)
    assert any("no test questions" in message for message in errors)
    assert any("oracle judge" in message for message in errors)
    assert any("GB are free" in message for message in errors)
    assert any("No worker is running" in message for message in found)


def test_packages_that_a_later_run_needs_are_asked_for_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warnings, "find_spec", lambda name: None)
    changes: dict[str, object] = {
        "sampling_engine": "vllm",
        "lora": {"quantize": "4bit"},
        "parallel": {"processes": 2, "strategy": "zero2"},
    }
    found = {item.field: item for item in check(make_spec(**changes), AROUND) if "is not installed" in item.message}
    assert set(found) == {"sampling_engine", "lora.quantize", "parallel.strategy"}
    assert "'vllm'" in found["sampling_engine"].message
    assert "pip install 'aft-workbench[vllm]'" in found["sampling_engine"].remedy
    assert not [message for message in findings() if "is not installed" in message]
    monkeypatch.setattr(warnings, "find_spec", lambda name: object())
    assert not [message for message in findings(**changes) if "is not installed" in message]


def test_one_seed_is_warned_about() -> None:
    assert any("1 seed " in message for message in findings(seeds=[1]))


def test_the_schedule_is_bounded_by_work_and_by_the_longest_chain() -> None:
    planned = plan_runs(make_spec(), BuiltinModelConfig())
    seconds = {run.cell: 10.0 for run in planned}
    one, two = (estimates.wall_seconds(seconds, planned, slots) for slots in (1, 2))
    assert one == pytest.approx(10.0 * len(planned))
    assert one / 2 <= two < one


def test_reused_runs_take_no_time() -> None:
    planned = plan_runs(make_spec(seeds=[1]), None)
    assert estimates.wall_seconds({}, planned, 2) == 0.0


def test_the_built_in_models_size_is_exact() -> None:
    assert estimates.llama_parameters(BuiltinModelConfig()) == 342_720


def test_one_set_of_paths_serves_every_vote_and_pass_rate_of_a_method() -> None:
    assert not [run for run in plan_runs(make_spec(), None) if run.stage == "paths"]
    spec = make_spec(self_consistency=[1, 5, 40], pass_at_k=[8], path_temperature=0.7, test_questions=50)
    runs = {run.cell: run for run in plan_runs(spec, None)}
    paths = [run for run in runs.values() if run.stage == "paths"]
    assert len(paths) == 9
    for run in paths:
        assert isinstance(run.config, SampleConfig)
        assert (run.config.k, run.config.part, run.config.temperature, run.config.max_questions) == (
            40,
            "test",
            0.7,
            50,
        )
        evaluation = runs[run.cell.replace("/paths", "/evaluate")]
        assert evaluation.parents["paths"] == run.cell
        assert evaluation.parents["checkpoint"] == run.parents["checkpoint"]
        assert estimates.run_seconds(run, spec, SIZES) > estimates.START_SECONDS


def test_an_llm_judge_is_announced_with_its_number_of_requests() -> None:
    judged = {"judge": "llm", "llm_judge": {"endpoint": "main"}, "feedback": "ranking", "train_questions": 10, "k": 4}
    found = [item for item in check(make_spec(**judged), AROUND) if item.field == "llm_judge"]
    assert [item.message for item in found] == ["The judge 'main' will be asked about 360 times."]


def test_methods_are_watched_on_the_fresh_candidates_unless_that_is_off() -> None:
    def watched(**changes: object) -> set[str]:
        planned = plan_runs(make_spec(seeds=[1], **changes), None)
        return {run.method or "" for run in planned if run.kind == "train" and "assessment" in run.parents}

    # The VFT model gives the candidates itself.
    assert watched() == {"VFT · continued", "AFT · detached"}
    assert watched(watch_questions=0) == watched(validation_questions=0) == watched(evaluations_per_run=0) == set()
    spec = make_spec(on_degradation="stop", keep="best", watch_questions=7)
    configs = [run.config for run in plan_runs(spec, None) if isinstance(run.config, TrainConfig)]
    assert {(item.on_degradation, item.keep, item.watch_questions) for item in configs} == {("stop", "best", 7)}


def test_how_trainings_run_reaches_every_training_and_nothing_else() -> None:
    scale: dict[str, object] = {
        "lora": {"rank": 4},
        "parallel": {"processes": 2, "strategy": "zero1"},
        "activation_checkpointing": True,
    }
    for item in plan_runs(make_spec(**scale), None):
        if isinstance(item.config, TrainConfig):
            assert item.config.lora is not None
            assert item.config.lora.rank == 4
            assert (item.config.parallel.processes, item.config.parallel.strategy) == (2, "zero1")
            assert item.config.activation_checkpointing
        else:
            assert "parallel" not in item.config.model_dump()
    with pytest.raises(ValidationError, match="strategy none"):
        make_spec(parallel={"processes": 2})


def test_memory_and_disk_follow_how_trainings_run() -> None:
    large = estimates.Sizes(7_000_000_000, 4000, 1000, 2000, 60, 100)

    def memory(**changes: object) -> float:
        return estimates.memory_bytes(make_spec(**changes), large) / 1e9

    def disk(**changes: object) -> float:
        spec = make_spec(**changes)
        planned = plan_runs(spec, None)
        return estimates.disk_bytes(planned, {item.cell for item in planned}, spec, large) / 1e9

    def processes(strategy: str) -> dict[str, object]:
        return {"parallel": {"processes": 4, "strategy": strategy}}

    assert memory() == pytest.approx(16 * 7, rel=0.02)
    assert memory(**processes("ddp")) == pytest.approx(4 * 16 * 7, rel=0.02)
    order = [memory(**processes(strategy)) for strategy in ("ddp", "zero1", "zero2", "zero3")]
    assert order == sorted(order, reverse=True)
    # Spread over four, the state is there once.
    assert order[-1] == pytest.approx(16 * 7, rel=0.05)
    lora = {"lora": {"rank": 16}}
    assert memory(**lora) < 0.3 * memory()
    assert memory(lora={"rank": 16, "quantize": "4bit"}) < 0.25 * memory(**lora) + 2
    assert memory(activation_checkpointing=True) < memory()
    assert disk(**lora) < 0.05 * disk()
