"""Previews of tables: the columns and rows that are looked at, one column's summary, and never the whole.

Files in Parquet are read column by column and row group by row group, official ones by ranges of bytes.
What is kept of them is bounded and dropped when nobody looks any more.
"""
