package dashboard

import "picora/app/link"

// closed is what no page of ours may do.
const closed = "; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// policy lets a page run the dashboard's own scripts and show what this server has, its
// media host included, and nothing else. Text becomes HTML through Svelte's templates
// alone (Trusted Types). Frames of blob: show documents, and have this policy, too.
func policy(o link.Origin) string {
	own := "'self'"
	if o.Media != o.API {
		own += " " + o.Media
	}
	shown := own
	if o.Elsewhere != "" {
		shown += " " + o.Elsewhere
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src " + shown + " data: blob:; media-src " + shown + " blob:; " +
		"connect-src " + own + "; font-src 'self'; frame-src 'self' blob:; worker-src 'self' blob:; manifest-src 'self'; " +
		"require-trusted-types-for 'script'; trusted-types svelte-trusted-html" + closed
}

// guidePolicy lets the guide look as it does, and find words.
const guidePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// referencePolicy lets Scalar run, which writes its styles into the page.
const referencePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; " +
	"font-src 'self'; connect-src 'self' blob:; worker-src 'self' blob:" + closed

// unbuiltPolicy is that of a page with nothing but words.
const unbuiltPolicy = "default-src 'none'; style-src 'unsafe-inline'" + closed
