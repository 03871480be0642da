"""What a run is and what it left behind: specs, the compute ledger, the tables and the store."""
