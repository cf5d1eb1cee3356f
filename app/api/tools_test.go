package api_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"picora/app/apptest"
	"picora/app/config"
)

// tools are the tool-configs of the owner's new key, with the key put in.
type tools struct {
	PicGo, Moraya, Typora map[string]any
	Files                 []struct{ Tool, Name, Kind, Filename, Content, Install string }
	byTool                map[string]string
}

func toolsOf(t *testing.T, p *apptest.Picora) (out tools) {
	t.Helper()
	me := p.SignIn("owner@example.org").Access
	k := makeKey(t, p, me, object{"name": "tools"})
	r := p.Play(t, scenario{As: me, URL: keys + "/" + k.ID + "/tool-configs", Status: 200})
	if bytes.Contains(r.Body, []byte(k.Key)) {
		t.Error("the key's text is known still")
	}
	r.Body = bytes.ReplaceAll(r.Body, []byte("YOUR_API_KEY"), []byte(k.Key))
	r.Data(t, &out)
	out.byTool = map[string]string{}
	for _, f := range out.Files {
		out.byTool[f.Tool] = f.Content
		if f.Name == "" || f.Filename == "" || f.Install == "" || !strings.Contains(f.Content, k.Key) || !strings.Contains(f.Content, p.URL+"/v1/images") {
			t.Errorf("%s: %+v", f.Tool, f)
		}
		if f.Kind == "json" && !json.Valid([]byte(f.Content)) {
			t.Errorf("%s: no JSON: %s", f.Tool, f.Content)
		}
	}
	for _, tool := range []string{"picgo", "piclist", "moraya", "sharex", "upic", "typora", "flameshot", "curl"} {
		if out.byTool[tool] == "" {
			t.Errorf("there is nothing for %s", tool)
		}
	}
	return out
}

// runScript runs a shell script in a folder and returns what it prints.
func runScript(t *testing.T, dir, script string, env []string, args ...string) (string, error) {
	t.Helper()
	path := filepath.Join(dir, "script.sh")
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", append([]string{path}, args...)...)
	cmd.Dir, cmd.Env = dir, append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	t.Logf("%s%s", out, stderr.Bytes())
	return string(out), err
}

func write(t *testing.T, dir, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func wantFile(t *testing.T, p *apptest.Picora, url string, want []byte) {
	t.Helper()
	if r := p.Do("GET", url, nil, "Authorization", ""); r.Status != 200 || !bytes.Equal(r.Body, want) {
		t.Errorf("%q gives %d, %d bytes", url, r.Status, len(r.Body))
	}
}

func TestTheSnippetForCurlUploads(t *testing.T) {
	p := start(t)
	dir, photo := t.TempDir(), apptest.JPEG(64, 48, 1)
	write(t, dir, "photo.jpg", photo)
	out, err := runScript(t, dir, toolsOf(t, p).byTool["curl"], nil)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Data apptest.Image }
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Fatal(err)
	}
	wantFile(t, p, answer.Data.URL, photo)
}

func TestTheScriptForTyporaUploadsSeveralFiles(t *testing.T) {
	p := start(t)
	dir, script := t.TempDir(), toolsOf(t, p).byTool["typora"]
	names := []string{"a.png", "with space, comma; and semicolon.png", `quote".png`, "it's 截图 $HOME.png", `"url":"x.png`}
	var paths []string
	for i, n := range names {
		paths = append(paths, write(t, dir, n, picture(uint64(i))))
	}
	out, err := runScript(t, dir, script, nil, paths...)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err != nil || len(lines) != len(names) {
		t.Fatalf("%v: %q", err, out)
	}
	for i, url := range lines {
		wantFile(t, p, url, picture(uint64(i)))
	}
	if out, err := runScript(t, dir, script, nil, write(t, dir, "no.png", []byte("no picture"))); err == nil || out != "" {
		t.Errorf("what is no picture: %q %v", out, err)
	}
}

func TestTheScriptForFlameshotUploadsTheScreenshot(t *testing.T) {
	p := start(t)
	dir, bin, script := t.TempDir(), t.TempDir(), toolsOf(t, p).byTool["flameshot"]
	shot := write(t, bin, "shot.png", picture(1))
	fake := func(text string) { write(t, bin, "flameshot", []byte("#!/bin/sh\n"+text+"\n")) }
	env := []string{"PATH=" + bin + ":" + os.Getenv("PATH")}
	fake(`[ "$*" = "gui --raw" ] && cat ` + shot)
	out, err := runScript(t, dir, script, env)
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, p, strings.TrimSpace(out), picture(1))
	fake("exit 0")
	if out, err := runScript(t, dir, script, env); err == nil || out != "" {
		t.Errorf("nothing was chosen: %q %v", out, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "tmp.*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestSettingsOfToolsHaveTheirFields(t *testing.T) {
	p := start(t)
	c := toolsOf(t, p)
	read := func(tool string) (v map[string]any) {
		if err := json.Unmarshal([]byte(c.byTool[tool]), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	address := p.URL + "/v1/images"
	header := c.Moraya["headers"].(map[string]any)["Authorization"]
	if !strings.HasPrefix(header.(string), "Bearer sk_live_") {
		t.Errorf("the header is %v", header)
	}
	want := func(name string, got map[string]any, want object) {
		t.Helper()
		if !reflect.DeepEqual(got, map[string]any(want)) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	headers := object{"Authorization": header}
	text, _ := json.Marshal(headers)
	want("moraya", c.Moraya, object{"name": "Picora", "url": address, "method": "POST", "headers": headers, "bodyType": "multipart", "fileField": "file", "responseUrlPath": "data.url"})
	want("picgo", c.PicGo, object{"url": address, "paramName": "file", "jsonPath": "data.url", "customHeader": string(text)})
	want("sharex", read("sharex"), object{
		"Version": "15.0.0", "Name": "Picora", "DestinationType": "ImageUploader", "RequestMethod": "POST", "RequestURL": address, "Headers": headers,
		"Body": "MultipartFormData", "FileFormName": "file", "URL": "{json:data.url}", "ErrorMessage": "{json:error}",
	})
	want("upic", read("upic"), object{
		"url": address, "method": "POST", "field": "file", "headers": []any{object{"key": "Authorization", "value": header}}, "bodys": []any{},
		"resultPath": `["data", "url"]`, "domain": "",
	})
	bed := read("piclist")["picBed"].(map[string]any)
	if l := bed["advancedplist"].(map[string]any); bed["uploader"] != "advancedplist" || l["endpoint"] != address || l["formDataKey"] != "file" || l["resDataPath"] != "data.url" || l["headers"] != string(text) {
		t.Errorf("piclist: %v", bed)
	}
}

func TestToolsAreGivenTheServersPublicAddress(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, func(c *config.Config) { c.Server.BaseURL = "https://pics.example.org" })
	me := p.SignIn("owner@example.org").Access
	k := makeKey(t, p, me, object{"name": "tools"})
	p.Play(t, scenario{As: me, URL: keys + "/" + k.ID + "/tool-configs", Status: 200, Has: []string{`"url":"https://pics.example.org/v1/images"`, "'https://pics.example.org/v1/images'"}})
}
