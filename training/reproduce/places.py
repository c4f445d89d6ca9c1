"""Where the data sets of the paper lie below one directory; and whom to ask for one that is not there."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from model.errors import InvalidDataSet
from training.data.kinds import sets_at
from training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Wanted:
    """A data set of the paper. folder: its own. kinds: the forms that can be read. ask: whom for which file, and where
    it goes, with DIR for the directory of the data sets."""

    folder: str
    title: str
    kinds: tuple[str, ...]
    ask: str


_NTU = (
    "Ask the ROSE Lab of NTU Singapore (https://rose1.ntu.edu.sg/dataset/actionRecognition) for the 3D skeletons, "
    "{archives}, and unpack the .skeleton files into DIR/{name}; or put pyskl's {pickle} "
    "(https://download.openmmlab.com/mmaction/pyskl/data/nturgbd/{pickle}) into DIR/{name}"
)
_NTU60 = _NTU.format(archives="nturgbd_skeletons_s001_to_s017.zip", pickle="ntu60_3danno.pkl", name="ntu60")
_NTU120 = _NTU.format(
    archives="nturgbd_skeletons_s001_to_s017.zip and nturgbd_skeletons_s018_to_s032.zip",
    pickle="ntu120_3danno.pkl", name="ntu120",
)  # fmt: skip
_KINETICS = (
    "Get pyskl's k400_hrnet.pkl (https://download.openmmlab.com/mmaction/pyskl/data/k400/k400_hrnet.pkl) and the "
    "archive of its keypoint files, whose address is in pyskl's tools/data/README.md; put the index into "
    "DIR/kinetics and unpack the others into DIR/kinetics/kpfiles"
)
_PKU_MMD = (
    "Get pku_mmd.pkl from the drive that the README of github.com/firework8/ACLNet names and put it into DIR/pku-mmd; "
    "or ask the makers of PKU-MMD (https://www.icst.pku.edu.cn/struct/Projects/PKUMMD.html) for the skeletons, labels "
    "and splits of phase 1 and unpack them into DIR/pku-mmd"
)
_FINEGYM = (
    "Get pyskl's gym_hrnet.pkl (https://download.openmmlab.com/mmaction/pyskl/data/gym/gym_hrnet.pkl) and put it into "
    "DIR/finegym"
)
_CASIA_B = (
    "Get data.zip of release v0.1 of github.com/tteepe/GaitGraph and unpack casia-b_pose_train_valid.csv and "
    "casia-b_pose_test.csv into DIR/casia-b; the videos are CASIA's (http://www.cbsr.ia.ac.cn)"
)
_TRANSG = (
    "Ask the authors of TranSG (github.com/Kali-Hac/TranSG) for CASIA_B_match and put it into DIR/casia-b-reid, so "
    "that DIR/casia-b-reid/CASIA_B_match/40/CASIA_B_train_npy_data is there; CASIA-B's two-dimensional poses are not "
    "what this table is of"
)
WANTED = (
    Wanted("ntu60", "NTU RGB+D 60", ("ntu60-pickle", "ntu60-raw", "ntu60-raw-official"), _NTU60),
    Wanted("ntu120", "NTU RGB+D 120", ("ntu120-pickle", "ntu120-raw", "ntu120-raw-official"), _NTU120),
    Wanted("kinetics", "Kinetics-Skeleton", ("kinetics-pickle",), _KINETICS),
    Wanted("pku-mmd", "PKU-MMD", ("pku-mmd-pickle", "pku-mmd-raw"), _PKU_MMD),
    Wanted("finegym", "FineGYM", ("finegym-pickle",), _FINEGYM),
    Wanted("casia-b", "CASIA-B's poses", ("casia-b-gaitgraph", "casia-b-opengait"), _CASIA_B),
    Wanted("casia-b-reid", "CASIA-B as TranSG has it", ("casia-b-transg",), _TRANSG),
)


def wanted_for(recipe_name: str) -> Wanted | None:
    """The data set of a published recipe, by its name; None for a recipe of another set.

    >>> wanted_for("ntu60-xsub").title, wanted_for("utd-mhad")
    ('NTU RGB+D 60', None)
    """
    return next(
        (each for each in WANTED if recipe_name == each.folder or recipe_name.startswith(f"{each.folder}-x")), None
    )


def with_data(recipe: Recipe, place: Path | None) -> Recipe:
    """The recipe on the data below `place`; None leaves the paths it names. Raises `InvalidDataSet` where they are
    not there, saying what is and whom to ask."""
    wanted = wanted_for(recipe.name)
    if wanted is None:
        return _by_name(recipe, place)
    own = recipe.data.paths[0]
    kind, path = _located(place or (own if own.exists() else own.parent), wanted)
    form = kind if recipe.data.kind is not None else None
    data = recipe.data.model_copy(update={"paths": (path,), "kind": form})
    return recipe.model_copy(update={"data": data, "test": recipe.test.model_copy(update={"paths": ()})})


def _by_name(recipe: Recipe, place: Path | None) -> Recipe:
    """The files that the recipe names: there, or under the same names in `place`."""

    def found(path: Path) -> Path:
        candidates = (
            [path] if place is None else [place / path, place / path.name, *[place] * (place.name == path.name)]
        )
        there = next((candidate for candidate in candidates if candidate.exists()), None)
        if there is None:
            tried = ", ".join(str(candidate) for candidate in candidates)
            raise InvalidDataSet(tried, "is not there; say with --data where the recipe's data lie")
        return there

    data = recipe.data.model_copy(update={"paths": tuple(map(found, recipe.data.paths))})
    test = recipe.test.model_copy(update={"paths": tuple(map(found, recipe.test.paths))})
    return recipe.model_copy(update={"data": data, "test": test})


def _request(wanted: Wanted, place: Path) -> str:
    return wanted.ask.replace("DIR", str(place)) + f". Then: gaitkeeper data check {place / wanted.folder}"


@lru_cache(maxsize=32)
def _located(place: Path, wanted: Wanted) -> tuple[str, Path]:
    """Kind and path of the wanted set at `place` or in a directory below it; the first of the kinds that is there."""
    if not place.is_dir() and not place.is_file():
        raise InvalidDataSet(str(place), f"is not there. {_request(wanted, place)}")
    there = dict(reversed(list(_sets(place))))
    for kind in wanted.kinds:
        if kind in there:
            return kind, there[kind]
    held = f"holds {', '.join(sorted(there))}" if there else "holds no data set that is known"
    raise InvalidDataSet(str(place), f"{held}, and {wanted.title} is wanted. {_request(wanted, place)}")


def _sets(place: Path) -> Iterator[tuple[str, Path]]:
    """Kind and path of whatever is recognised here and one level below."""
    below = sorted(entry for entry in place.iterdir() if entry.is_dir()) if place.is_dir() else []
    for entry in (place, *below):
        try:
            for kind, path in sets_at(entry):
                yield kind.name, path
        except InvalidDataSet:
            continue
