int next(int place, int size) {
  return (place + 1) % size;
}
