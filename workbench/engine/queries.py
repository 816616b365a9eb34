"""What can be read of a workbench: results, details, pictures, recipes, files. Changes nothing."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Collection
from pathlib import Path

from workbench.api.bundle import SCRIPT, Bundle
from workbench.api.dataset import SPLITS, Dataset, sample_bytes
from workbench.api.errors import InvalidInput, Refused
from workbench.api.lineage import Lineage
from workbench.api.recipe import Recipe
from workbench.api.suggestions import with_suggestion
from workbench.api.technique import AnyTechnique, OtherFile, Parameters
from workbench.api.text import say
from workbench.api.variant import STEP, Variant
from workbench.data.outputs import first_output
from workbench.jobs import onednn
from workbench.measure.records import Details, QualityVerdict
from workbench.models.intake.own_code import code_beside
from workbench.results import rows
from workbench.results.rows import ResultRow
from workbench.runtimes import runtime
from workbench.store import Store

LARGEST_TAKE_HOME_BYTES = 100_000_000


class Queries:
    """The reading side of a workbench.

    Args:
        store: Where everything is kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def baseline(self) -> Variant:
        """The first variant.

        Raises:
            InvalidInput: If no model is open yet.
        """
        baseline = Lineage(self._store.variants()).baseline
        if baseline is None:
            raise InvalidInput(
                say("No model is open in this workbench."), say("Open a model and its data first.")
            )
        return baseline

    @property
    def dataset(self) -> Dataset:
        """The prepared data set.

        Raises:
            InvalidInput: If none is open yet.
        """
        folder = self._store.fact("dataset")
        if folder is None:
            raise InvalidInput(
                say("No data is open in this workbench."), say("Open a model and its data first.")
            )
        return Dataset(self._store.folder / folder)

    def variant(self, key: str | Variant) -> Variant:
        """A variant by its identifier or name, by its last step, or by the name that it was made with.

        Args:
            key: One of these, or the variant as it was known before.

        Raises:
            InvalidInput: If there is none, or if several end with that step; with their names.
        """
        variants = self._store.variants()
        if isinstance(key, Variant):
            key = key.id
        for variant in variants:
            if key in (variant.id, variant.name):
                return variant
        ending = [variant for variant in variants if variant.name.endswith(f"{STEP}{key}")]
        if len(ending) == 1:
            return ending[0]
        if ending:
            raise InvalidInput(
                say("There are {count} variants {key!r}.", count=len(ending), key=key),
                say("Say which one: {names}.", names=", ".join(variant.name for variant in ending)),
            )
        made = self._store.made_names()
        for variant in variants:
            if made.get(variant.id) == key:
                return variant
        names = [variant.name for variant in variants]
        raise InvalidInput(
            say("There is no variant {key!r}.", key=key),
            with_suggestion(key, names, say("There are: {names}.", names=", ".join(names) or "-")),
        )

    def others(self, technique: AnyTechnique, parameters: Parameters) -> dict[str, Variant]:
        """The variants besides its parent that a technique reads, by the names that it uses.

        Raises:
            InvalidInput: If one of them is not there, with the names that exist.
        """
        return {key: self.variant(key) if key else self.baseline for key in technique.others(parameters)}

    def other_files(
        self, technique: AnyTechnique, parent: Variant, parameters: Parameters
    ) -> dict[str, OtherFile]:
        """The same for plain code, with a file name for each that differs from the parent's."""
        return {
            key: OtherFile(
                other, parent.path.name if other.id == parent.id else f"{other.id}{other.path.suffix}"
            )
            for key, other in self.others(technique, parameters).items()
        }

    def results(self) -> tuple[ResultRow, ...]:
        """One row per variant with all that is known of it."""
        return rows.collect(self._store)

    def details(self, variant: str, reference: str | None = None, output: str | None = None) -> Details:
        """What a variant gets right and wrong, against another one (by default the baseline).

        Raises:
            InvalidInput: If one of them has not been evaluated yet, or that output is not judged.
        """
        from workbench.measure.judges import judge_of, scores_key

        further = {one.output: one.key for one in self.dataset.info.further}
        if output is not None and output == first_output(self.dataset.info, self.baseline.description):
            output = None
        if output is not None and output not in further:
            raise InvalidInput(
                say("The output {output} is not judged.", output=output[:80]),
                say("Those that are judged besides the first: {names}.", names=tuple(further)),
            )
        key = scores_key(None if output is None else further[output])

        after = self.variant(variant)
        before = self.variant(reference) if reference is not None else self.baseline
        scores = []
        for one in (after, before):
            kept = self._store.arrays("quality", one.id)
            if kept is None or key not in kept:
                raise InvalidInput(
                    say("{name} has not been evaluated yet.", name=one.name),
                    say("Wait until its measurements are there."),
                )
            scores.append(kept[key])
        dataset = Dataset(self.dataset.folder, output)
        return judge_of(dataset.info, dataset.y("test"), weights=dataset.weights("test")).details(
            after.id, before.id, scores[0], scores[1]
        )

    def judge_change(self, variant: str, reference: str, seed: int) -> QualityVerdict | None:
        """The paired change of the task's measure against any other variant; None until both are evaluated.

        Takes up to a second with many classes: not for the thread that serves a page.
        """
        from workbench.measure.judges import judge_of, scores_key

        kept = [self._store.arrays("quality", self.variant(key).id) for key in (variant, reference)]
        if kept[0] is None or kept[1] is None:
            return None
        after, before = kept[0], kept[1]
        changes = []
        outputs = [(None, None), *((one.key, one.output) for one in self.dataset.info.further)]
        for key_of, output in outputs:
            key = scores_key(key_of)
            if key not in after or key not in before:
                continue
            dataset = Dataset(self.dataset.folder, output)
            judge = judge_of(dataset.info, dataset.y("test"), weights=dataset.weights("test"))
            found = judge.compared(variant, reference, after[key], before[key], seed=seed)
            changes.append(found.model_copy(update={"output": output}))
        first, *further = changes
        if not further:
            return first
        return first.together(first_output(self.dataset.info, self.baseline.description), tuple(further))

    def picture(self, index: int) -> bytes | None:
        """A test sample as PNG; None where the data are no pictures."""
        from workbench.data.pictures import picture

        return picture(self.dataset, index)

    def recipe(self, variant: str | Variant, seed: int) -> Recipe:
        """The steps from the baseline to a variant."""
        lineage = Lineage(one for deleted in (False, True) for one in self._store.variants(deleted=deleted))
        return Recipe.of(lineage.of(self.variant(variant)), data=self.dataset.info.name, seed=seed)

    def download(self, variant: str | Variant) -> tuple[str, bytes]:
        """File name and content of a variant as it would be deployed; a folder becomes a zip."""
        chosen = self.variant(variant)
        stem = _plain(chosen.name)
        if chosen.path.is_file():
            return f"{stem}{chosen.path.suffix}", chosen.path.read_bytes()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(chosen.path.rglob("*")):
                archive.write(file, file.relative_to(chosen.path))
        return f"{stem}.zip", buffer.getvalue()

    def deploy(self, variant: str | Variant) -> tuple[str, bytes]:
        """File name and content of a zip with the model, code that runs it, and what that code needs.

        Raises:
            Unavailable: If there is no such code for its runtime.
        """
        from workbench.deploy.deployment import deployment_code, deployment_file, requirements

        chosen = self.variant(variant)
        target = deployment_file(chosen)
        bundle = Bundle(deployment_code(chosen, self.dataset.info)).knowing(code_beside(chosen.path))
        if runtime(chosen.runtime).imports_tensorflow and onednn.stay_off(self._store.fact(onednn.FACT)):
            bundle = bundle.with_script(onednn.plain_code(bundle.script))
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in bundle.files().items():
                archive.writestr("predict.py" if name == SCRIPT else name, text)
            for name, content in bundle.beside.items():
                archive.writestr(name, content)
            archive.writestr("requirements.txt", "\n".join(requirements(chosen)) + "\n")
            if chosen.path.is_file():
                archive.write(chosen.path, target)
            else:
                for file in sorted(one for one in chosen.path.rglob("*") if one.is_file()):
                    archive.write(file, Path(target) / file.relative_to(chosen.path))
        return f"{_plain(chosen.name)}-deploy.zip", buffer.getvalue()

    def take_home(self, parent: Variant, code: Bundle, others: Collection[OtherFile] = ()) -> bytes:
        """A zip with plain code and the model and data that it reads, ready to be run.

        Args:
            parent: The variant that the code starts from.
            code: From the technique.
            others: Further models that it reads.

        Raises:
            Refused: If the data are too large to be sent at once.
        """
        dataset = self.dataset
        size_bytes = sum(sample_bytes(dataset.x(split)) for split in SPLITS)  # as they are packed: float32
        if size_bytes > LARGEST_TAKE_HOME_BYTES:
            raise Refused(
                say(
                    "The prepared data take {size} MB; at most {most} MB are packed.",
                    size=size_bytes // 1_000_000,
                    most=LARGEST_TAKE_HOME_BYTES // 1_000_000,
                ),
                say(
                    "They lie in {folder}: Dataset(folder).save_npz writes them as one file.",
                    folder=str(dataset.folder),
                ),
            )
        buffer = io.BytesIO()
        with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(buffer, "w") as archive:
            for name, text in code.files().items():
                archive.writestr(name, text)
            for name, content in code.beside.items():
                archive.writestr(name, content)
            archive.write(dataset.save_npz(Path(scratch) / "data.npz"), "data.npz")
            files = [parent.path] if parent.path.is_file() else sorted(parent.path.rglob("*"))
            for file in files:
                archive.write(file, file.relative_to(parent.path.parent))
            for name, path in {other.file: other.variant.path for other in others}.items():
                if name not in archive.namelist():
                    archive.write(path, name)
        return buffer.getvalue()

    def with_descendants(self, variant: str) -> tuple[Variant, ...]:
        """A variant and everything made from it.

        Raises:
            InvalidInput: For the baseline, which everything is made from.
        """
        first = self.variant(variant)
        if first.is_baseline:
            raise InvalidInput(
                say("The baseline cannot be deleted: everything is measured against it."),
                say("Open another folder for another model."),
            )
        return (first, *Lineage(self._store.variants()).descendants(first))


def _plain(name: str) -> str:
    """A name as a file can have it."""
    words = "".join(letter if letter.isalnum() or letter in "._" else " " for letter in name).split()
    return "-".join(words) or "variant"
