"""What a trained model says: influence, regulators, TF activity, mutagenesis."""
