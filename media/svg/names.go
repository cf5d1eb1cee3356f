package svg

import "strings"

// Namespaces.
const (
	nsSVG   = "http://www.w3.org/2000/svg"
	nsXLink = "http://www.w3.org/1999/xlink"
	nsXML   = "http://www.w3.org/XML/1998/namespace"
)

// set makes a set of the words of s.
func set(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// elements that stay (SVG 2 appendix F, Filter Effects 1, SVG Animations 2).
// Links (a) are taken off their contents; all others go with their contents:
// script, foreignObject, metadata, view, audio, video, fonts, ...
var elements = set(`
	svg g defs symbol use switch title desc style
	path rect circle ellipse line polyline polygon text tspan textPath image
	linearGradient radialGradient stop pattern clipPath mask marker
	filter feBlend feColorMatrix feComponentTransfer feComposite feConvolveMatrix
	feDiffuseLighting feDisplacementMap feDistantLight feDropShadow feFlood
	feFuncA feFuncB feFuncG feFuncR feGaussianBlur feImage feMerge feMergeNode
	feMorphology feOffset fePointLight feSpecularLighting feSpotLight feTile
	feTurbulence
	animate animateTransform animateMotion mpath set`)

// textual elements have text in them that means something; that of others is
// white space and is left out.
var textual = set("text tspan textPath title desc style")

// leaves are elements without child elements. In title and desc a web page
// would read HTML.
var leaves = set("title desc style")

// animations change an attribute of another element.
var animations = set("animate animateTransform set")

// cssAttrs are attributes whose value is, or may be read as, CSS: the
// presentation attributes and, because the same check fits them, geometry.
var cssAttrs = set(`
	alignment-baseline baseline-shift clip clip-path clip-rule color
	color-interpolation color-interpolation-filters color-profile
	color-rendering direction display dominant-baseline enable-background fill
	fill-opacity fill-rule filter flood-color flood-opacity font font-family
	font-feature-settings font-kerning font-size font-size-adjust font-stretch
	font-style font-variant font-variant-ligatures font-weight
	glyph-orientation-horizontal glyph-orientation-vertical image-rendering
	inline-size isolation kerning letter-spacing lighting-color line-height
	marker marker-end marker-mid marker-start mask mask-type mix-blend-mode
	opacity overflow paint-order pointer-events shape-inside shape-margin
	shape-padding shape-rendering shape-subtract solid-color solid-opacity
	stop-color stop-opacity stroke stroke-dasharray stroke-dashoffset
	stroke-linecap stroke-linejoin stroke-miterlimit stroke-opacity
	stroke-width text-align text-anchor text-decoration text-decoration-color
	text-decoration-line text-decoration-style text-overflow text-rendering
	text-transform transform transform-box transform-origin unicode-bidi
	vector-effect visibility white-space word-spacing writing-mode

	cx cy dx dy fr fx fy gradientTransform height lengthAdjust markerHeight
	markerUnits markerWidth method offset orient patternTransform pathLength
	preserveAspectRatio r refX refY rotate rx ry side spacing spreadMethod
	startOffset textLength viewBox width x x1 x2 y y1 y2 z clipPathUnits
	gradientUnits maskContentUnits maskUnits patternContentUnits patternUnits
	filterUnits primitiveUnits filterRes version baseProfile zoomAndPan

	amplitude azimuth baseFrequency bias diffuseConstant divisor edgeMode
	elevation exponent in in2 intercept k1 k2 k3 k4 kernelMatrix
	kernelUnitLength limitingConeAngle mode numOctaves operator order
	pointsAtX pointsAtY pointsAtZ preserveAlpha radius result scale seed slope
	specularConstant specularExponent stdDeviation stitchTiles surfaceScale
	tableValues targetX targetY xChannelSelector yChannelSelector

	accumulate additive calcMode dur fill from keyPoints max min repeatCount
	repeatDur restart to by origin`)

// listAttrs are of the same kind but hold lists with semicolons.
var listAttrs = set("begin end values keyTimes keySplines")

// textAttrs are attributes that nobody reads as CSS.
var textAttrs = set(`
	id class d points path lang role type media attributeName attributeType
	requiredFeatures requiredExtensions systemLanguage xml:lang xml:space`)

// inherited properties are drawn anew by each element below the one that has
// them.
var inherited = set("fill stroke marker marker-start marker-mid marker-end")
