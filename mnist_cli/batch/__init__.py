"""`mnist predict-batch`: reads many pictures in parallel and writes a record for each file."""
