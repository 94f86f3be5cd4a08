"""The book: pages executed by papermill, held by nbval, built by jupyter-book, with nothing from a network."""
