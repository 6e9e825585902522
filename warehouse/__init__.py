"""The warehouse: connection, migrations, transactional load, ledger, views and queries."""
