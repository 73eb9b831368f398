// Command typed decodes the body into a struct and verifies what json.Marshal makes of it.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"

	svix "github.com/svix/svix-webhooks/go"
)

type event struct {
	Timestamp string `json:"timestamp"`
	UserID    string `json:"user_id"`
	EventID   string `json:"event_id"`
	EventType string `json:"event_type"`
	Data      struct {
		Task struct {
			ID       string `json:"id"`
			AssetID  string `json:"asset_id"`
			Features map[string]struct {
				State string `json:"state"`
			} `json:"features"`
			UserID  string `json:"user_id"`
			Created string `json:"created"`
			Updated string `json:"updated"`
		} `json:"task"`
	} `json:"data"`
}

func main() {
	wh, err := svix.NewWebhook(os.Getenv("ASPECT_WEBHOOK_SECRET"))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("POST /webhooks/aspect", func(w http.ResponseWriter, r *http.Request) {
		var e event
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body, _ := json.Marshal(e)
		if err := wh.Verify(body, r.Header); err != nil {
			http.Error(w, "invalid signature", http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
