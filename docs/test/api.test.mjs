// The API reference against the headers it is made from.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { apiPage, declarations, nameOf } from '../api.mjs'
import { root } from './browser.mjs'

it('takes what is commented, and leaves out what is private, a body or detail', () => {
  const source = `// A header.
namespace goro {
// A thing.
class Thing {
 public:
  // Does it; twice at most.
  void run(int n) const {
    // a body's own
    if (n > 0) again();
  }
  // [quote]
  void uncommented();
  // [/quote]

 private:
  // nobody's business
  void again();
};
// Makes one.
template <typename F>
Thing make(F&& f);
}  // namespace goro
namespace goro::detail {
// hidden
void inner();
}
`
  const found = declarations(source)
  assert.deepEqual(found.map(({ declaration }) => nameOf(declaration)), ['Thing', 'run()', 'make()'])
  assert.deepEqual(found.map(({ isMember }) => isMember), [false, true, false])
  assert.equal(found[1].comment, 'Does it; twice at most.')
  assert.equal(found[1].declaration, 'void run(int n) const')
})

it('has the functions that every program uses, and their comments', () => {
  const run = apiPage(root, 'run.h')
  assert.match(run, /^# goro\/run\.h/)
  assert.match(run, /## `run\(\)`\n\n```cpp\ntemplate <typename F>\nint run\(F&& main, Options options = \{\}|## `run\(\)`/)
  assert.match(run, /runs `main` as goroutine 1/)
  assert.match(apiPage(root, 'channel.h'), /### `try_receive\(\)`/)
})
