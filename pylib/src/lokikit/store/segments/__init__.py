"""The store on disk: the append log, the sealed Parquet segments, the streams."""
