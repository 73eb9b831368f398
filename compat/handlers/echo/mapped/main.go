// Command mapped binds the body to a map and verifies what json.Marshal makes of it.
package main

import (
	"encoding/json"
	"net/http"
	"os"

	"github.com/labstack/echo/v4"
	svix "github.com/svix/svix-webhooks/go"
)

func main() {
	wh, err := svix.NewWebhook(os.Getenv("ASPECT_WEBHOOK_SECRET"))
	if err != nil {
		panic(err)
	}
	e := echo.New()
	e.POST("/webhooks/aspect", func(c echo.Context) error {
		payload := map[string]any{}
		if err := c.Bind(&payload); err != nil {
			return err
		}
		body, _ := json.Marshal(payload)
		if err := wh.Verify(body, c.Request().Header); err != nil {
			return echo.NewHTTPError(http.StatusBadRequest, "invalid signature")
		}
		return c.NoContent(http.StatusNoContent)
	})
	e.Logger.Fatal(e.Start("127.0.0.1:" + os.Getenv("PORT")))
}
