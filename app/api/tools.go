package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/link"
	"picora/store"
)

// placeholder stands for the key in what tools are given: the server does not know a
// key's text any more.
const placeholder = "YOUR_API_KEY"

// toolFile is what a tool is set up with.
type toolFile struct {
	Tool     string `json:"tool"`
	Name     string `json:"name"`
	Kind     string `json:"kind"` // "json", "shell" or "text"
	Filename string `json:"filename"`
	Content  string `json:"content"`
	Install  string `json:"install"`
}

// picgoConfig is the setting of PicGo's plug-in web-uploader.
type picgoConfig struct {
	URL          string `json:"url"`
	ParamName    string `json:"paramName"`
	JSONPath     string `json:"jsonPath"`
	CustomHeader string `json:"customHeader"`
}

// morayaConfig is a custom provider of Moraya.
type morayaConfig struct {
	Name            string            `json:"name"`
	URL             string            `json:"url"`
	Method          string            `json:"method"`
	Headers         map[string]string `json:"headers"`
	BodyType        string            `json:"bodyType"`
	FileField       string            `json:"fileField"`
	ResponseURLPath string            `json:"responseUrlPath"`
}

// typoraConfig is what Typora is told of an upload command.
type typoraConfig struct {
	Service string `json:"service"`
	Command string `json:"command"`
}

// toolConfigs is what GET /v1/api-keys/:id/tool-configs answers. Clients know the first
// three (contract 8).
type toolConfigs struct {
	PicGo  picgoConfig  `json:"picgo"`
	Moraya morayaConfig `json:"moraya"`
	Typora typoraConfig `json:"typora"`
	Files  []toolFile   `json:"files"`
}

// getToolConfigs handles GET /v1/api-keys/:id/tool-configs. A key that is not yours has
// none, which is no error (contract 8).
func (a *API) getToolConfigs(c *fiber.Ctx) error {
	k, err := a.store.APIKey(c.UserContext(), c.Params("id"))
	if err == nil {
		err = theirs(&k, caller(c).User)
	}
	if errors.Is(err, store.ErrNotFound) {
		return ok(c, nil)
	}
	if err != nil {
		return err
	}
	return ok(c, toolsFor(link.Of(c.UserContext()).API+"/v1/images"))
}

// toolsFor sets tools up for an upload address. It has no characters that a shell or
// JSON would take for its own: its host was checked.
func toolsFor(address string) toolConfigs {
	bearer := map[string]string{"Authorization": "Bearer " + placeholder}
	header := strings.TrimSpace(encodeJSON(bearer, ""))
	t := toolConfigs{
		PicGo:  picgoConfig{address, "file", "data.url", header},
		Moraya: morayaConfig{"Picora", address, "POST", bearer, "multipart", "file", "data.url"},
		Typora: typoraConfig{"custom-command", "sh ~/picora-typora.sh"},
	}
	t.Files = []toolFile{
		{"picgo", "PicGo", "json", "picgo-config.json", encodeJSON(picBed("web-uploader", t.PicGo), "  "),
			"Install the plug-in web-uploader, then copy these values into its settings, or for the command line save this as ~/.picgo/config.json."},
		{"piclist", "PicList", "json", "piclist-config.json", encodeJSON(picBed("advancedplist", map[string]string{
			"endpoint": address, "method": "POST", "formDataKey": "file", "headers": header, "body": "{}", "customPrefix": "", "resDataPath": "data.url",
		}), "  "),
			"Choose Advanced Custom as the image host and copy these values into its settings."},
		{"moraya", "Moraya", "json", "moraya-provider.json", encodeJSON(t.Moraya, "  "),
			"Add a custom image host in the settings and copy these values."},
		{"sharex", "ShareX", "json", "Picora.sxcu", encodeJSON(sharex(address, bearer), "  "),
			"Save this file and open it with a double click; ShareX adds the uploader."},
		{"upic", "uPic", "json", "upic-host.json", encodeJSON(upic(address), "  "),
			"Add a host of the kind Custom and copy these values: URL, method, file field, the header, and the result's path."},
		{"typora", "Typora", "shell", "picora-typora.sh", script(typoraScript, address),
			"Save this file in your home folder. In Typora's settings, Image, choose Custom Command with: " + t.Typora.Command},
		{"flameshot", "Flameshot", "shell", "picora-flameshot.sh", script(flameshotScript, address),
			"Save this file, make it executable and give it a keyboard shortcut. The address is put on the clipboard."},
		{"curl", "curl", "shell", "picora-curl.sh", script(curlScript, address),
			"Run this in the folder of the picture."},
	}
	return t
}

// picBed is the settings file of PicGo and PicList with one uploader.
func picBed(uploader string, settings any) any {
	type plugins map[string]bool
	out := map[string]any{"picBed": map[string]any{"uploader": uploader, "current": uploader, uploader: settings}}
	if uploader == "web-uploader" {
		out["picgoPlugins"] = plugins{"picgo-plugin-web-uploader": true}
	}
	return out
}

func sharex(address string, headers map[string]string) any {
	return struct {
		Version, Name, DestinationType, RequestMethod, RequestURL string
		Headers                                                   map[string]string
		Body, FileFormName, URL, ErrorMessage                     string
	}{"15.0.0", "Picora", "ImageUploader", "POST", address, headers, "MultipartFormData", "file", "{json:data.url}", "{json:error}"}
}

func upic(address string) any {
	type pair struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	return struct {
		URL        string `json:"url"`
		Method     string `json:"method"`
		Field      string `json:"field"`
		Headers    []pair `json:"headers"`
		Bodys      []pair `json:"bodys"`
		ResultPath string `json:"resultPath"`
		Domain     string `json:"domain"`
	}{address, "POST", "file", []pair{{"Authorization", "Bearer " + placeholder}}, []pair{}, `["data", "url"]`, ""}
}

// encodeJSON writes v with line breaks when there is an indent, and & as it is.
func encodeJSON(v any, indent string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	e.Encode(v) // of texts and maps of them
	return b.String()
}

func script(text, address string) string {
	return strings.NewReplacer("{ADDRESS}", address, "{KEY}", placeholder).Replace(text)
}

const curlScript = `curl -sS -H 'Authorization: Bearer {KEY}' -F 'file=@photo.jpg' '{ADDRESS}'
`

// The scripts give curl the key on its standard input: what stands in a command,
// everybody on the machine can see. The answer's own "url" is the only one: quotes in
// titles and names have a backslash.
const typoraScript = `#!/bin/sh
# Uploads the files that it is given and prints their addresses, one a line.
for file in "$@"; do
	quoted=$(printf '%s' "$file" | sed 's/[\\"]/\\&/g')
	answer=$(curl -sS -H @- -F "file=@\"$quoted\"" '{ADDRESS}' <<'END'
Authorization: Bearer {KEY}
END
	) || exit 1
	url=$(printf '%s\n' "$answer" | sed -n 's/.*"url":"\([^"]*\)".*/\1/p')
	if [ -z "$url" ]; then
		printf '%s\n' "$answer" >&2
		exit 1
	fi
	printf '%s\n' "$url"
done
`

const flameshotScript = `#!/bin/sh
# Takes a screenshot, uploads it, and puts its address on the clipboard.
file=$(mktemp) || exit 1
trap 'rm -f "$file"' EXIT
flameshot gui --raw > "$file" || exit 1
[ -s "$file" ] || exit 1 # nothing was chosen
answer=$(curl -sS -H @- -F "file=@$file;filename=screenshot-$(date +%Y-%m-%d-%H%M%S).png" '{ADDRESS}' <<'END'
Authorization: Bearer {KEY}
END
) || exit 1
url=$(printf '%s\n' "$answer" | sed -n 's/.*"url":"\([^"]*\)".*/\1/p')
if [ -z "$url" ]; then
	printf '%s\n' "$answer" >&2
	exit 1
fi
printf '%s\n' "$url"
if [ -n "$WAYLAND_DISPLAY" ] && command -v wl-copy > /dev/null; then
	printf '%s' "$url" | wl-copy
elif [ -n "$DISPLAY" ] && command -v xclip > /dev/null; then
	printf '%s' "$url" | xclip -selection clipboard
fi
`
