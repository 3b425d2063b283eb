import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.evaluate.link_methods import (
    compare_planted,
    describe_best,
    evaluate,
    methods_of,
    roles_of,
)
from cisgrammar.interpret.link_baselines import BASELINES


def made_links(n=200):
    rng = np.random.default_rng(1)
    is_link = rng.random(n) < 0.2
    table = pd.DataFrame(
        {
            "gene": [f"g{i // 5}" for i in range(n)],
            "peak": [f"p{i}" for i in range(n)],
            "distance": rng.integers(-900, 900, n),
            "link_score": is_link + rng.random(n),
            "spread": rng.random(n),
            "highest": rng.random(n),
            "fdr": np.where(is_link, 0.04, 0.9),
        }
    )
    for name in BASELINES[1:]:
        table[name] = rng.normal(size=n)
    return table, is_link


def test_signed_scores_count_by_their_size():
    links, _ = made_links()
    methods = methods_of(links, {"no_distance": links.assign(link_score=1.0)})
    assert (methods["r_cells"] == links["r_cells"].abs()).all()
    assert (methods["distance_alone"] <= 0).all()
    assert (methods["no_distance"] == 1).all()


def test_the_truth_s_links_decoys_and_activities_are_compared():
    links, is_link = made_links()
    truth = links.loc[is_link, ["gene", "peak"]].assign(role="link")
    decoys = links.loc[~is_link, ["gene", "peak"]].iloc[:20].assign(role="decoy")
    roles = roles_of(links, pd.concat([truth, decoys]))
    assert ((roles == "link") == is_link).all()
    assert (roles == "decoy").sum() == 20
    rng = np.random.default_rng(2)
    activity = rng.normal(size=(3, len(links)))
    by_type = AnnData(activity, pd.DataFrame(index=["a", "b", "c"]))
    rows = [
        (*links.loc[i, ["gene", "peak"]], name, 2 * activity[j, i])
        for i in np.flatnonzero(is_link)
        for j, name in enumerate("abc")
    ]
    known = pd.DataFrame(rows, columns=["gene", "peak", "cell_type", "activity"])
    methods = methods_of(links, {})
    found = compare_planted(links, methods, roles, by_type, known).set_index("measure")["value"]
    assert found["r of activity by type, links and types together"] > 0.999
    assert found["observed FDR at 0.05"] == 0
    assert found["pairs called at FDR 0.1"] == is_link.sum()
    assert found["AUROC of links against decoys, model"] > 0.9
    settings = {"edges": [0, 1000], "n_bootstrap": 20}
    scores = evaluate(links, {"planted": is_link}, {}, methods, settings, seed=1)
    gain = scores[(scores["method"] == "ridge") & (scores["distance_window"] == "all")].iloc[0]
    assert gain["auprc_gain_low"] > 0
    assert "planted: AUPRC" in describe_best(scores, ["distance_alone", "ridge"])
    assert "no truth" in describe_best(scores.iloc[:0], ["ridge"])
