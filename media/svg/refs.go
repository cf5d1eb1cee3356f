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

// grown is where the count of a reference bomb stops.
const grown = 1 << 32

// bounder counts how many elements are drawn when every reference is followed.
// Ten symbols that each use the one before ten times are 1 KB of file and ten
// billion elements: the billion laughs without an entity. Patterns, masks,
// markers, clip paths and filters multiply in the same way; gradients do not.
type bounder struct {
	ids    map[string]*node
	styled map[string][]ref // references by class, id and element name in style sheets
	cost   map[*node]int64
	size   map[*node]int64 // elements in the subtree
	open   map[*node]bool
	chain  int
	steps  int
	failed error
}

// bound refuses a tree whose references multiply what is drawn beyond measure.
func bound(root *node, rules []rule) error {
	b := &bounder{
		ids: map[string]*node{}, styled: map[string][]ref{}, cost: map[*node]int64{},
		size: map[*node]int64{}, open: map[*node]bool{},
	}
	b.index(root)
	for _, r := range rules {
		b.style(r)
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
	for part := range strings.SplitSeq(r.selector, ",") {
		names := strings.FieldsFunc(part, func(c rune) bool { return strings.ContainsRune(" >+~:()[]=", c) })
		if len(names) == 0 || strings.ContainsAny(part, "*[:") {
			names = append(names, "*")
		}
		for _, name := range names {
			// p.a.b and p#a are known by their last part
			if i := strings.LastIndexAny(name, ".#"); i >= 0 {
				name = name[i:]
			}
			b.styled[name] = append(b.styled[name], r.refs...)
		}
	}
}

// count returns how many elements drawing n draws.
func (b *bounder) count(n *node) int64 {
	if c, ok := b.cost[n]; ok {
		return c
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
			total += b.follow(id, n.name == "use")
		}
	}
	return total
}

// paints counts the references in attributes.
func (b *bounder) paints(n *node) int64 {
	total := int64(0)
	for _, a := range n.attrs {
		if a.name == "style" {
			total += b.all(n, declared(a.value))
			continue
		}
		for _, id := range references(a.value) {
			total += b.all(n, []ref{{a.name, id}})
		}
	}
	return min(total, grown)
}

// styles counts the references that style sheets give to an element.
func (b *bounder) styles(n *node) int64 {
	if len(b.styled) == 0 {
		return 0
	}
	total := b.all(n, b.styled["*"]) + b.all(n, b.styled[n.name]) + b.all(n, b.styled["#"+n.attr("id")])
	for class := range strings.FieldsSeq(n.attr("class")) {
		total = min(total+b.all(n, b.styled["."+class]), grown)
	}
	return total
}

// all counts references of n.
func (b *bounder) all(n *node, refs []ref) int64 {
	total := int64(0)
	for _, r := range refs {
		if b.failed != nil {
			break
		}
		total = min(total+b.times(n, r.property)*b.follow(r.id, false), grown)
	}
	return total
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

// follow counts the element of that id. One that is being counted already is a
// circle, in which browsers draw nothing; for use it is refused, because not
// every program notices.
func (b *bounder) follow(id string, use bool) int64 {
	n := b.ids[id]
	b.steps++
	switch {
	case b.failed != nil:
		return 0
	case b.steps > maxSteps:
		b.failed = media.Unsupported("the SVG has too many references between its parts")
		return 0
	case n == nil || n.name == "linearGradient" || n.name == "radialGradient":
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
