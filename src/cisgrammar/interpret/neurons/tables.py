"""What was read of neurons, as tables and motif files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cisgrammar.common.files import write_table
from cisgrammar.common.progress import progress
from cisgrammar.interpret.neurons.dictionary import entry_table
from cisgrammar.interpret.neurons.facets import Facet, purity
from cisgrammar.interpret.neurons.files import write_facets
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.proof import spacing_curves, truth_table, words_of
from cisgrammar.interpret.neurons.reading import Reading
from cisgrammar.interpret.neurons.segments import smoothed
from cisgrammar.motifs.databases import Database
from cisgrammar.motifs.meme import Motif, consensus, information_content, write_meme
from cisgrammar.motifs.tomtom import compare, shuffled_matches

MOST_JOINS = 3  # of a neuron, the innermost, that are asked of the network


def facet_motifs(reading: Reading) -> list[Motif]:
    """Give the whole patterns of all facets: ``L{layer}_{neuron}_{facet}``."""
    return [
        Motif(f"L{reading.samples.depth}_{neuron}_{k}", _ppm(facet), n_sites=len(facet.rows))
        for neuron, its in reading.facets.items()
        for k, facet in enumerate(its)
    ]


def entry_motifs(reading: Reading) -> list[Motif]:
    """Give the dictionary: ``L{layer}_{entry}``."""
    prefix = f"L{reading.samples.depth}"
    return [Motif(f"{prefix}_{e.name}", e.motif.matrix, e.motif.n_sites) for e in reading.entries]


def _ppm(facet: Facet) -> np.ndarray:
    ppm = smoothed(facet)
    return ppm / ppm.sum(axis=0)


def neuron_table(reading: Reading) -> pd.DataFrame:
    """Describe each neuron of the layer, those that nothing excites too."""
    rows = []
    for neuron, archive in enumerate(reading.samples.archives):
        its, tree = reading.facets.get(neuron, []), reading.trees.get(neuron)
        words = sorted({s.word for sites in reading.sites.get(neuron, []) for s in sites})
        rows.append(
            {
                "layer": reading.samples.depth,
                "neuron": neuron,
                "threshold": reading.samples.thresholds[neuron],
                "highest": archive.highest,
                "n_found": archive.n_active,
                "n_kept": len(archive),
                "facets": len(its) if its else np.nan,
                "decoupling": purity(its) if its else np.nan,
                "motifs": ";".join(words),
                "syntax": tree.text if tree else "",
            }
        )
    return pd.DataFrame(rows)


def facet_table(reading: Reading) -> pd.DataFrame:
    """Describe each facet."""
    rows = [
        {
            "layer": reading.samples.depth,
            "neuron": neuron,
            "facet": k,
            "n_sequences": len(facet.rows),
            "highest": facet.maximum,
            "consensus_activation": facet.consensus_value,
            "decoupling": facet.decoupling,
            "information": float(information_content(_ppm(facet)).sum()),
            "consensus": consensus(_ppm(facet)),
            "motifs": " ".join(f"{s.word}:{s.start}-{s.end}" for s in reading.sites[neuron][k]),
        }
        for neuron, its in reading.facets.items()
        for k, facet in enumerate(its)
    ]
    return pd.DataFrame(rows)


def dictionary_table(
    reading: Reading, known: Sequence[Motif], names: Mapping[str, str], threshold: float
) -> pd.DataFrame:
    """Describe the dictionary, with the known motif that each entry is most like, either strand."""
    table = entry_table(reading.entries, reading.segments)
    table.insert(0, "layer", reading.samples.depth)
    hits = compare([entry.motif for entry in reading.entries], known, threshold)
    best = hits.drop_duplicates("Query_ID").set_index("Query_ID")
    table["known_motif"] = table["entry"].map(best["Target_ID"])
    table["tf"] = table["known_motif"].map(names)
    table["orientation"] = table["entry"].map(best["Orientation"])
    table["q"] = table["entry"].map(best["q-value"])
    return table


def chance_table(
    reading: Reading,
    known: Sequence[Motif],
    threshold: float,
    seed: int,
    random: Reading | None,
) -> pd.DataFrame:
    """Say how many entries match known motifs, and how many would by chance.

    Returns
    -------
    layer, motifs (``dictionary``, ``shuffled columns`` or ``random weights``), n, matching, share.
    """
    motifs = [entry.motif for entry in reading.entries]
    rows: list[tuple[str, int, int]] = []
    if motifs:
        counts = shuffled_matches(motifs, known, threshold, seed=seed).iloc[0]
        rows.append(("dictionary", int(counts["motifs"]), int(counts["matching"])))
        rows.append(("shuffled columns", int(counts["shuffled"]), int(counts["shuffled_matching"])))
    if random is not None:
        others = [entry.motif for entry in random.entries]
        matching = compare(others, known, threshold)["Query_ID"].nunique() if others else 0
        rows.append(("random weights", len(others), matching))
    table = pd.DataFrame(rows, columns=["motifs", "n", "matching"])
    table.insert(0, "layer", reading.samples.depth)
    return table.assign(share=table["matching"] / table["n"].clip(lower=1))


def syntax_table(reading: Reading) -> pd.DataFrame:
    """List the joins of all trees, the innermost first."""
    rows = [
        {
            "layer": reading.samples.depth,
            "neuron": neuron,
            "node": node.text,
            "left": node.left.text,
            "right": node.right.text,
            "gap_least": node.gaps[0],
            "gap_most": node.gaps[1],
            "kind": node.kind,
            "n_facets": len(node.facets),
            "n_sequences": node.weight,
        }
        for neuron, tree in reading.trees.items()
        for node in tree.joins()
        if node.left and node.right and node.gaps
    ]
    columns = [
        *("layer", "neuron", "node", "left", "right", "gap_least", "gap_most"),
        *("kind", "n_facets", "n_sequences"),
    ]
    return pd.DataFrame(rows, columns=columns)


def proof_tables(
    network: Network, reading: Reading, seed: int, composition: np.ndarray | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ask the network itself about each join and each pair of motifs.

    Returns
    -------
    spacing
        layer, neuron, node, and the columns of
        :func:`cisgrammar.interpret.neurons.proof.spacing_curves`.
    links
        layer, neuron, and the columns of
        :func:`cisgrammar.interpret.neurons.proof.truth_table`.
    """
    depth, curves, links = reading.samples.depth, [], []
    for neuron, facets in progress(reading.facets.items(), f"layer {depth}, neurons proved"):
        sites = reading.sites[neuron]
        threshold = float(reading.samples.thresholds[neuron])
        table = truth_table(network, depth, neuron, facets, sites, threshold, seed, composition)
        links.append(table.assign(layer=depth, neuron=neuron))
        if neuron not in reading.trees:
            continue
        words = words_of(facets, sites)
        for node in reading.trees[neuron].joins()[:MOST_JOINS]:
            curve = spacing_curves(
                network, depth, neuron, node, words, seed=seed, composition=composition
            )
            curves.append(curve.assign(layer=depth, neuron=neuron, node=node.text))
    first = ["layer", "neuron"]
    return (
        _together(
            curves,
            [*first, "node", "arrangement", "gap", "activation", "sd", "expected"],
        ),
        _together(
            links,
            [*first, "first", "second", "neither", "only_first", "only_second", "both", "link"],
        ),
    )


def _together(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    return (
        pd.concat(filled, ignore_index=True)[columns] if filled else pd.DataFrame(columns=columns)
    )


def write_tables(
    out: Any,
    network: Network,
    readings: Mapping[int, Reading],
    by_chance: Mapping[int, Reading],
    known: Database,
    threshold: float,
    composition: np.ndarray,
    seed: int,
) -> None:
    """Write all that was read of some layers.

    Parameters
    ----------
    out
        Has the paths: neurons, facets, facet_table, facet_motifs, dictionary, entries, chance,
        syntax, spacing, links.
    network, readings
        What was read, by layer.
    by_chance
        The same of random weights; may lack layers.
    known, threshold
        Known motifs, and the largest q-value of a match.
    composition
        Shares of the bases in random sequences.
    seed
        For these, and for shuffled motifs.
    """
    tfs = dict(zip(known.table["motif"], known.table["tfs"], strict=True))
    its = list(readings.values())
    write_facets({depth: reading.facets for depth, reading in readings.items()}, out.facets)
    write_meme([motif for each in its for motif in facet_motifs(each)], out.facet_motifs)
    write_meme([motif for each in its for motif in entry_motifs(each)], out.entries)
    write_table(_stacked([neuron_table(each) for each in its]), out.neurons)
    write_table(_stacked([facet_table(each) for each in its]), out.facet_table)
    write_table(_stacked([syntax_table(each) for each in its]), out.syntax)
    described = [dictionary_table(each, known.motifs, tfs, threshold) for each in its]
    write_table(_stacked(described), out.dictionary)
    chance = [
        chance_table(reading, known.motifs, threshold, seed, by_chance.get(depth))
        for depth, reading in readings.items()
    ]
    write_table(_stacked(chance), out.chance)
    proofs = [proof_tables(network, each, seed, composition) for each in its]
    write_table(_stacked([curves for curves, _ in proofs]), out.spacing)
    write_table(_stacked([links for _, links in proofs]), out.links)


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Stack tables of the same columns, of which some may be empty."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]
