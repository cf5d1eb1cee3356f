package cdn

import (
	"strconv"
	"testing"
	"time"

	"picora/store"
)

// An entry that was read before an edit must not come in after it: the edit's
// answer is out, and the file would live on.
func TestAnEntryReadBeforeAnEditIsNotGiven(t *testing.T) {
	c := newCache(1 << 20)
	const id = "abcdefghijk"
	fill := func(edits uint64, b string) *entry {
		return &entry{media: store.Media{ID: id}, edits: edits, file: file{bytes: []byte(b)}}
	}
	before := c.begin(id)
	c.drop(id)
	c.put("key", fill(before, "old"))
	if _, ok := c.get("key"); ok {
		t.Error("an entry from before the edit is given")
	}
	c.put("key", fill(c.begin(id), "new"))
	if e, ok := c.get("key"); !ok || string(e.file.bytes) != "new" {
		t.Error("an entry from after the edit is not given")
	}
	c.drop(id)
	if _, ok := c.get("key"); ok {
		t.Error("an edit leaves the entry")
	}
}

func TestTheCacheKeepsWithinItsBudget(t *testing.T) {
	const budget = 1 << 20
	c := newCache(budget)
	for i := range 100 {
		id := "id" + strconv.Itoa(i)
		c.put(id, &entry{media: store.Media{ID: id}, file: file{bytes: make([]byte, smallFile)}})
	}
	held := func() (n int) {
		for i := range 100 {
			if _, ok := c.get("id" + strconv.Itoa(i)); ok {
				n += smallFile
			}
		}
		return n
	}
	for end := time.Now().Add(time.Minute); held() > budget; time.Sleep(time.Millisecond) { // it tidies up in the background
		if time.Now().After(end) {
			t.Fatalf("%d bytes are held", held())
		}
	}
	if held() == 0 {
		t.Error("nothing is held")
	}
}

func TestACacheWithoutBudgetHoldsNothing(t *testing.T) {
	c := newCache(0)
	c.put("a", &entry{})
	c.drop("a")
	if _, ok := c.get("a"); ok || c.on() {
		t.Error("it holds something")
	}
}
