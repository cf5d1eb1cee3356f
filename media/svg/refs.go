package svg

import (
	"fmt"
	"strings"

	"picora/media"
)

// maxChain bounds how many references may lead from one to the next.
const maxChain = 500

// maxSteps bounds the work of counting itself, for sheets with thousands of
// rules that fit everything.
const maxSteps = 1_000_000

// nameSteps is what a name in a selector and a reference in a rule count, for
// the memory that they take.
const nameSteps = 25

// grown is where the count of a reference bomb stops.
const grown = 1 << 32

// bounder counts how many elements are drawn when every reference is followed.
// Ten symbols that each use the one before ten times are 1 KB of file and ten
// billion elements: the billion laughs without an entity. Patterns, masks,
// markers, clip paths and filters multiply in the same way; gradients do not.
type bounder struct {
	ids    map[string]*node
	styled map[string][]*styling // by the class, id and element name in style sheets
	cost   map[*node]int64
	size   map[*node]int64 // elements in the subtree
	open   map[*node]bool
	chain  int
	steps  int
	failed error
}

// styling is what a rule of a style sheet lets be drawn. All names in its
// selector share it.
type styling struct {
	refs []drawn
}

// drawn is an element that a property refers to that many times.
type drawn struct {
	property string
	to       *node
	times    int64
}

// bound refuses a tree whose references multiply what is drawn beyond measure.
func bound(root *node, rules []rule) error {
	b := &bounder{
		ids: map[string]*node{}, styled: map[string][]*styling{}, cost: map[*node]int64{},
		size: map[*node]int64{}, open: map[*node]bool{},
	}
	b.index(root)
	for _, r := range rules {
		if b.style(r); b.failed != nil {
			return b.failed
		}
	}
	if extra := b.count(root) - b.size[root]; b.failed == nil && extra > maxExpansions {
		return media.Unsupported(fmt.Sprintf("the SVG repeats parts of itself more than %d times", maxExpansions))
	}
	return b.failed
}

// index notes ids and the sizes of subtrees.
func (b *bounder) index(n *node) int64 {
	if id := n.attr("id"); id != "" && b.ids[id] == nil {
		b.ids[id] = n
	}
	size := int64(1)
	for _, kid := range n.kids {
		size += b.index(kid)
	}
	b.size[n] = size
	return size
}

// style notes the references of a rule under all that its selector could mean:
// every name in it, and everything where it has none.
func (b *bounder) style(r rule) {
	st := &styling{b.drawn(r.decls)}
	if len(st.refs) == 0 {
		return
	}
	for part := range strings.SplitSeq(r.selector, ",") {
		any := true
		for name := range strings.FieldsFuncSeq(part, func(c rune) bool { return strings.ContainsRune(" >+~:()[]=", c) }) {
			// p.a.b and p#a are known by their last part
			if i := strings.LastIndexAny(name, ".#"); i >= 0 {
				name = name[i:]
			}
			any = false
			b.note(name, st)
		}
		if any || strings.ContainsAny(part, "*[:") {
			b.note("*", st)
		}
		if b.failed != nil {
			return
		}
	}
}

// note notes what a rule does to a name, once.
func (b *bounder) note(name string, st *styling) {
	if !b.work(1) {
		return
	}
	list := b.styled[name]
	if len(list) > 0 && list[len(list)-1] == st {
		return
	}
	if b.work(nameSteps) {
		b.styled[name] = append(list, st)
	}
}

// drawn returns what declarations refer to of the elements that count, each
// once for a property.
func (b *bounder) drawn(decls string) []drawn {
	type key struct {
		property string
		to       *node
	}
	var out []drawn
	seen := map[key]int{}
	for property, id := range declared(decls) {
		if !b.work(1) {
			return nil
		}
		to := b.ids[id]
		if to == nil || to.gradient() {
			continue
		}
		k := key{property, to}
		i, ok := seen[k]
		if !ok {
			if !b.work(nameSteps) {
				return nil
			}
			i, seen[k] = len(out), len(out)
			out = append(out, drawn{property: property, to: to})
		}
		out[i].times++
	}
	return out
}

// work counts steps; false when there were too many or something else failed.
func (b *bounder) work(steps int) bool {
	if b.steps += steps; b.steps > maxSteps && b.failed == nil {
		b.failed = media.Unsupported("the SVG has too many references between its parts")
	}
	return b.failed == nil
}

// gradient says whether an element draws the same however often it is used.
func (n *node) gradient() bool { return n.name == "linearGradient" || n.name == "radialGradient" }

// count returns how many elements drawing n draws.
func (b *bounder) count(n *node) int64 {
	if c, ok := b.cost[n]; ok {
		return c
	}
	if b.failed != nil || b.open[n] && !b.work(int(b.size[n])) {
		return 0
	}
	b.open[n] = true
	total := int64(1)
	for _, kid := range n.kids {
		total += b.count(kid)
	}
	if n.name != "" {
		total += b.hrefs(n) + b.paints(n) + b.styles(n)
	}
	total = min(total, grown)
	delete(b.open, n)
	b.cost[n] = total
	return total
}

// hrefs counts what an element draws by reference. Animations only name what
// they change.
func (b *bounder) hrefs(n *node) int64 {
	if n.name != "use" && n.name != "feImage" && n.name != "pattern" && n.name != "textPath" && n.name != "filter" {
		return 0
	}
	total := int64(0)
	for _, name := range []string{"href", "xlink:href"} {
		if id, ok := strings.CutPrefix(n.attr(name), "#"); ok {
			total += b.follow(b.ids[id], n.name == "use")
		}
	}
	return total
}

// paints counts the references in attributes.
func (b *bounder) paints(n *node) int64 {
	total := int64(0)
	for _, a := range n.attrs {
		if a.name == "style" {
			for property, id := range declared(a.value) {
				total = min(total+b.paint(n, property, b.ids[id], 1), grown)
			}
			continue
		}
		for id := range references(a.value) {
			total = min(total+b.paint(n, a.name, b.ids[id], 1), grown)
		}
	}
	return total
}

// styles counts the references that style sheets give to an element.
func (b *bounder) styles(n *node) int64 {
	if len(b.styled) == 0 {
		return 0
	}
	total := b.all(n, "*") + b.all(n, n.name) + b.all(n, "#"+n.attr("id"))
	for class := range strings.FieldsSeq(n.attr("class")) {
		if !b.work(1) {
			break
		}
		total = min(total+b.all(n, "."+class), grown)
	}
	return total
}

// all counts what the rules for a name make n refer to.
func (b *bounder) all(n *node, name string) int64 {
	total := int64(0)
	for _, st := range b.styled[name] {
		for _, r := range st.refs {
			if b.failed != nil {
				return 0
			}
			total = min(total+b.paint(n, r.property, r.to, r.times), grown)
		}
	}
	return total
}

// paint counts so many references of n to an element.
func (b *bounder) paint(n *node, property string, to *node, times int64) int64 {
	cost := b.follow(to, false)
	if cost == 0 {
		return 0
	}
	return min(times*b.times(n, property), grown/4) * cost
}

// times is how often a property of n is drawn: once, once for every element
// that inherits it, and for markers once more for every few bytes of path.
func (b *bounder) times(n *node, property string) int64 {
	if !inherited[property] {
		return 1
	}
	times := b.size[n]
	if property == "marker" || property == "marker-mid" {
		times += int64(len(n.attr("d"))+len(n.attr("points"))) / 4
	}
	return times
}

// follow counts an element that is referred to. One that is being counted
// already is a circle, in which browsers draw nothing; for use it is refused,
// because not every program notices.
func (b *bounder) follow(n *node, use bool) int64 {
	switch {
	case !b.work(1), n == nil, n.gradient():
		return 0
	case b.open[n] && use:
		b.failed = media.Corrupt("the SVG is damaged: a part of it repeats itself without end")
		return 0
	case b.open[n]:
		return 0
	}
	if b.chain++; b.chain > maxChain {
		b.failed = media.Unsupported(fmt.Sprintf("the SVG has a chain of more than %d references", maxChain))
		return 0
	}
	c := b.count(n)
	b.chain--
	return c
}
