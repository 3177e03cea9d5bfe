"""The partners' directory as a TUF repository: published by the registrar, fetched and believed by everybody else."""
