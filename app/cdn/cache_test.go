package cdn

import (
	"strconv"
	"testing"
	"time"

	"picora/store"
)

// An entry that was read before an edit must not come in after it: the edit's
// answer is out, and the file would live on.
func TestAnEntryReadBeforeAnEditIsNotKept(t *testing.T) {
	c := newCache(1 << 20)
	const id = "abcdefghijk"
	fill := c.begin(id)
	c.drop(id)
	fill.done(&entry{})
	if _, ok := c.get(id); ok {
		t.Error("an entry from before the edit is kept")
	}
	c.begin(id).done(&entry{bytes: []byte("new")})
	if e, ok := c.get(id); !ok || string(e.bytes) != "new" {
		t.Error("an entry from after the edit is not kept")
	}
	fill.done(&entry{bytes: []byte("old")})
	if e, ok := c.get(id); !ok || string(e.bytes) != "new" {
		t.Error("a late reader replaces what is newer")
	}
	c.drop(id)
	if _, ok := c.get(id); ok {
		t.Error("an edit leaves the entry")
	}
}

func TestTheCacheKeepsWithinItsBudget(t *testing.T) {
	const budget = 1 << 20
	c := newCache(budget)
	for i := range 100 {
		id := "id" + strconv.Itoa(i)
		c.begin(id).done(&entry{media: store.Media{ID: id}, bytes: make([]byte, smallFile)})
	}
	held := func() (n int) {
		for i := range 100 {
			if _, ok := c.get("id" + strconv.Itoa(i)); ok {
				n += smallFile
			}
		}
		return n
	}
	for end := time.Now().Add(5 * time.Second); held() > budget; time.Sleep(time.Millisecond) { // it tidies up in the background
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
	c.begin("a").done(&entry{})
	c.drop("a")
	if _, ok := c.get("a"); ok || c.on() {
		t.Error("it holds something")
	}
}
