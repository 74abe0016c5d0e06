"""What the pictures of rows say: true of enough rows, and nothing where there is only noise."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from lib import problem, profiling, views
from lib.datasets.green_taxi import views as trips
from lib.datasets.music_genres import views as songs
from lib.datasets.nyc_rentals import views as listings
from lib.problem import Dataset, Words
from lib.runtime.schema import Column

RENTALS = problem.load("nyc_rentals")
KINDS = {**{f"n{i}": "number" for i in range(12)}, **{f"c{i}": "category" for i in range(8)}, "tag": "id"}


def plain(task: str = "regression", when: str = "") -> Dataset:
    """A problem of a user's own with the columns of `KINDS`, without words, groups or rules."""
    target = dataclasses.replace(RENTALS.target, name="y", unit="min")
    columns = {name: Column(kind, "") for name, kind in (KINDS | ({when: "time"} if when else {})).items()}
    stored = dataclasses.replace(
        RENTALS.serving, task=task, target=target, columns=columns, derived={}, feature_sets={}
    )
    return dataclasses.replace(
        RENTALS,
        serving=stored,
        label=lambda rows: rows["y"],
        rules=lambda: (),
        groups=(),
        when=when,
        views="",
        words=Words(),
        metric="rmse",
    )


def noise(rows: int, seed: int, classes: bool = False) -> pd.DataFrame:
    """Columns of every kind, names of two to many values, and a target that none of them knows."""
    random = np.random.default_rng(seed)
    table = {f"n{i}": random.normal(size=rows) for i in range(12)}
    table |= {f"c{i}": random.integers(0, 2 + 2**i, rows).astype(str) for i in range(8)}
    target = random.choice(["a", "b", "c"], rows) if classes else random.normal(20, 5, rows)
    return pd.DataFrame({**table, "tag": np.arange(rows).astype(str), "y": target})


@pytest.mark.parametrize("rows", [60, 300, 3000])
def test_of_noise_no_sentence_claims_anything(rows):
    number, classes = plain(), plain("classification")
    for seed in range(8):
        table = noise(rows, seed)
        pictures = views.of(number)
        assert "no column that is known beforehand tells" in pictures["with_target"].read(table, table)
        assert pictures["closest"].read(table, table) == "No column moves the target more than chance would."
        assert "no order that matters" in pictures["arrivals"].read(table, table)
        said = pictures["numbers"].read(table, table)
        assert "No tail runs far off" in said
        assert "bent" not in said
        table, pictures = noise(rows, seed, classes=True), views.of(classes)
        assert "No number tells the classes apart" in pictures["closest"].read(table, table)
        assert "no more than chance makes them" in pictures["target"].read(table, table)


def test_days_that_differ_by_chance_are_not_called_quiet_or_busy():
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.random.default_rng(0).integers(0, 60, 6000), "D")
    rows = noise(6000, 0).assign(at=days)
    said = views.of(plain(when="at"))["arrivals"].read(rows, rows)
    assert "the days differ no more than chance makes them differ" in said
    assert "fewest" not in said
    storm = rows[(rows["at"] != "2024-01-09") | (rows.index % 20 == 0)]
    assert "fewest on Tuesday 9 January 2024" in views.of(plain(when="at"))["arrivals"].read(storm, storm)


def test_a_bend_is_named_where_there_is_one_and_not_where_the_line_is_straight():
    view = views.of(plain())["closest"]
    for seed in range(10):
        rows = noise(2000, seed)
        straight = rows.assign(y=20 + rows["n3"] + rows["y"] / 5)
        assert "Along n3" in view.read(straight, straight)
        assert "bends" not in view.read(straight, straight)
    bent = rows.assign(y=20 + rows["n3"] ** 2 + rows["y"] / 5)
    assert "It bends: a straight line" in view.read(bent, bent)


def titles(figure: Figure) -> list[str]:
    """What stands above each part of a figure."""
    return [axes.get_title(loc="left") for axes in figure.axes if axes.axison]


def test_the_companion_draws_the_closest_columns_that_may_be_used_by_name():
    dataset = problem.load("green_taxi")
    raw = dataset.labelled(dataset.generate(3000, 0))
    clean = dataset.clean(raw).rows
    told = profiling.with_target(dataset, dataset.engineer(clean))
    admitted = told[(told["known"] == "before") | (told.index == "trip_distance")].index[:6]
    figure = views.of(dataset)["closest"].draw(raw, clean)
    assert [title.removesuffix(" (known only after)") for title in titles(figure)] == list(admitted)
    assert "trip_distance (known only after)" in titles(figure)
    for axes in figure.axes:
        if axes.get_title(loc="left") == "DOLocationID":
            assert {label.get_text() for label in axes.get_yticklabels()} <= set(trips.ZONES.values())


def test_every_code_of_a_trip_is_written_by_name():
    rows = problem.load("green_taxi").generate(500, 3)
    rows = problem.load("green_taxi").engineer(rows)
    for column, name in trips.NAMES.items():
        for value in rows[column].dropna().unique():
            assert not name(value).replace(":00", "").isdigit(), column
    pair = rows.iloc[0]
    ends = f"{trips.ZONES[pair['PULocationID']]} → {trips.ZONES[pair['DOLocationID']]}"
    assert trips.NAMES["PU_DO"](pair["PU_DO"]) == trips.NAMES["pair"](pair["pair"]) == ends
    assert trips.NAMES["pair_period"](pair["pair_period"]).endswith(f": {ends}")
    assert trips.NAMES["pickup_weekday"](0) == "Mon"
    assert trips.NAMES["week_hour"](25) == "Tue 1:00"
    assert trips.NAMES["pickup_borough"](0) == "no zone"


def test_an_hour_in_which_one_taxi_crept_is_not_the_slowest():
    dataset = problem.load("green_taxi")
    rows = dataset.generate(8000, 0)
    one = rows.iloc[:1].assign(
        pickup_datetime=pd.Timestamp("2023-01-02 04:00"),
        dropoff_datetime=pd.Timestamp("2023-01-02 04:59"),
        trip_distance=0.2,
    )
    dawn = (rows["pickup_datetime"].dt.hour == 4) & (rows["pickup_datetime"].dt.day_of_week == 0)
    rows = pd.concat([rows[~dawn], one], ignore_index=True)
    assert "Mon at 4" not in trips.VIEWS["speed"].read(rows, rows)
    assert np.isnan(trips._speed(rows).loc["Mon", 4])


def test_of_trips_without_a_rhythm_no_hour_is_called_busy_or_slow():
    dataset, random = problem.load("green_taxi"), np.random.default_rng(0)
    rows = dataset.generate(20_000, 0)
    starts = pd.Timestamp("2023-01-02") + pd.to_timedelta(random.integers(0, 28 * 24 * 60, 20_000), "min")
    lasts = pd.to_timedelta(random.integers(300, 900, 20_000), "s")
    rows = rows.assign(pickup_datetime=starts, dropoff_datetime=starts + lasts, trip_distance=2.0)
    assert "too few, or too even" in trips.VIEWS["pickups"].read(rows, rows)
    assert "Slowest" not in trips.VIEWS["speed"].read(rows, rows)
    assert "no slower" in trips.VIEWS["speed"].read(rows, rows)


def test_of_songs_and_listings_without_a_pattern_none_is_claimed():
    random = np.random.default_rng(0)
    genres = problem.load("music_genres").generate(600, 0)
    shuffled = genres.assign(**{name: random.normal(size=600) for name in songs.NUMBERS})
    shuffled = shuffled.assign(genre=random.permutation(genres["genre"]))
    assert songs.VIEWS["correlations"].read(shuffled, shuffled).startswith("No two features move together")
    assert songs.VIEWS["map"].read(shuffled, shuffled).startswith("No genre's songs lie among their own")
    homes = RENTALS.generate(3000, 0)
    homes = homes.assign(price=random.integers(10, 350, 3000))
    assert "about as often as chance" in listings.VIEWS["endings"].read(homes, homes)
    assert "no middle around which" in listings.VIEWS["map"].read(homes, homes)
    assert "Too few boroughs" in listings.VIEWS["rooms"].read(homes.head(40), homes.head(40))


def test_what_a_row_is_called_is_the_problems_own_word_once_a_sentence_and_a_users_problem_has_one_too():
    for name, words in {"green_taxi": "trip", "nyc_rentals": "listing", "music_genres": "song"}.items():
        dataset = problem.load(name)
        raw = dataset.labelled(dataset.generate(1500, 0))
        clean = dataset.clean(raw).rows
        told = [view.read(raw, clean) for view in views.standard(dataset).values()]
        assert sum(f"{words}" in said for said in told) >= 4
    rows = noise(300, 0)
    assert "300 rows" in views.of(plain())["target"].read(rows, rows)


def test_a_shuffle_flatters_where_hosts_are_kept_together_and_the_page_says_so():
    """The price is the host's own: a shuffle puts some of each host's rows into train and some into test."""
    random = np.random.default_rng(0)
    host, prices = random.integers(0, 300, 3000), random.normal(100, 20, 300)
    rows = pd.DataFrame({"tag": host.astype(str), "y": prices[host] + random.normal(0, 5, 3000)})
    rows = rows.assign(**{name: "same" for name in KINDS if name != "tag"})
    apart = {"train": rows[host < 200], "test": rows[host >= 200]}
    mixed = {"train": rows[:2000], "test": rows[2000:]}
    table = profiling.newness(plain(), {"as split above": apart, "shuffled": mixed})
    said = profiling.read_newness(table, 1000, Words())
    assert said.startswith("**Here a shuffle flatters**: tag tells 7")
    assert "0% as split above" in said
    table = profiling.newness(plain(), {"as split above": mixed, "shuffled": apart})
    assert "the opposite of flattering" in profiling.read_newness(table, 1000, Words())


def test_two_shuffles_flatter_neither_each_other():
    for seed in range(20):
        rows = noise(900, seed)
        rows["y"] += 5 * (rows["c0"] == "1")
        ways = {
            name: {"train": part.iloc[:600], "test": part.iloc[600:]}
            for name, part in (("as split above", rows), ("shuffled", rows.sample(frac=1, random_state=seed)))
        }
        said = profiling.read_newness(profiling.newness(plain(), ways), 300, Words())
        assert said.startswith("Here a shuffle does not flatter")


def test_doubles_are_counted_and_it_is_said_whether_a_rule_asks_about_them():
    rows = noise(100, 0)
    twice = pd.concat([rows, rows.head(10)], ignore_index=True)
    dataset = plain()
    assert profiling.read_doubles(dataset, rows, rows) == "No row is there twice, alike in every column."
    said = profiling.read_doubles(dataset, twice, twice)
    assert "10 of 110 rows (9.1%) repeat an earlier one" in said
    assert "**No rule asks about them**: 10 are left" in said
    asks = problem.Rule("once", "", lambda rows: ~rows.duplicated())
    asking = dataclasses.replace(dataset, rules=lambda: (asks,))
    assert "A rule asks about such doubles: 0 are left" in profiling.read_doubles(asking, twice, rows)


def test_a_problem_without_pictures_of_its_own_says_how_it_gets_one():
    assert "has no picture of its own yet" in views.read_own(plain())
    assert "lib/datasets/green_taxi/views.py" in views.read_own(problem.load("green_taxi"))


def test_the_meaning_of_every_column_can_be_looked_up_and_when_it_is_known():
    dataset = problem.load("green_taxi")
    table = profiling.meanings(dataset)
    assert set(table.index) == {*dataset.columns, *dataset.derived}
    assert table["meaning"].str.len().min() > 0
    assert table.loc["distance"].tolist() == [
        dataset.derived["distance"].meaning,
        "",
        "trip_distance",
        "after",
    ]


@pytest.mark.parametrize("offset", [0.0, 1e-10, 1e-6])
def test_a_number_that_hardly_varies_has_an_axis_that_can_be_read(offset):
    rows = noise(300, 0)
    rows["n0"] = 5.3 + offset * rows["n0"]
    rows["$n1$"] = rows.pop("n1")
    figure = views.of(plain())["numbers"].draw(rows, rows)
    figure.canvas.draw()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            assert axis.get_offset_text().get_text() == ""


def test_no_two_labels_of_an_axis_overlap():
    for dataset in (RENTALS, problem.load("green_taxi")):
        raw = dataset.labelled(dataset.generate(4000, 0))
        clean = dataset.clean(raw).rows
        for name in ("numbers", "closest", "frequent", "target", "with_target", "missing", "arrivals"):
            figure = views.of(dataset)[name].draw(raw, clean)
            figure.canvas.draw()
            for axes in (axes for axes in figure.axes if axes.axison):
                for axis, side in ((axes.xaxis, 0), (axes.yaxis, 1)):
                    low, high = sorted(axis.get_view_interval())
                    shown = [
                        tick.label1.get_window_extent()
                        for tick in axis.get_major_ticks()
                        if low <= tick.get_loc() <= high and tick.label1.get_text()
                    ]
                    spans = sorted((box.get_points()[0][side], box.get_points()[1][side]) for box in shown)
                    for (_, end), (start, _) in itertools.pairwise(spans):
                        assert start > end - 1, f"{dataset.name} {name} {axes.get_title(loc='left')}"
