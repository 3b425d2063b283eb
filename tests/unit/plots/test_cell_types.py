from cisgrammar.common.files import write_table
from cisgrammar.plots.cell_types import cell_type_colours, cell_type_table, present_types
from cisgrammar.plots.style import PALETTE


def test_types_stand_in_the_order_of_the_table_with_its_colours(tmp_path):
    write_table(cell_type_table(["B", "01", "NA", "B"]), tmp_path / "cell_types.tsv")
    colours = cell_type_colours(tmp_path / "cell_types.tsv")
    assert list(colours.items()) == list(zip(["01", "B", "NA"], PALETTE[:3], strict=True))


def test_types_that_are_absent_take_no_colour_of_others():
    colours = {"b": "red", "a": "green", "c": "blue"}
    assert present_types(["c", None, "b", "c"], colours) == {"b": "red", "c": "blue"}
    assert list(present_types(["c", "b"], None)) == ["b", "c"]
