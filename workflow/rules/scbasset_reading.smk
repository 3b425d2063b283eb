"""What a trained scBasset says: of peaks and genes, of transcription factors, of single bases."""

SCBASSET_MODEL = f"{SCBASSET}/fold{SCBASSET_FOLDS[0]}/model.pt"
# expression of the very cells, where it was measured
CELLS_EXPRESSION = when(MULTIOME, "results/{name}/cells_expression.h5ad")
REGIONS_TO_MUTATE = when(
    config["scbasset"]["mutagenesis"]["bed"],
    optional_file_of("scbasset.mutagenesis.bed"),
)
