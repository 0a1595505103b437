// Defines main itself.
// report: duplicate symbol: main
int main() {
  return 0;
}
