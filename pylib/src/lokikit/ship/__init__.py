"""The shipper: files and pipes into Loki."""
