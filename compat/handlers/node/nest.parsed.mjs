// req.body, which Nest has parsed, is written again.
import 'reflect-metadata'
import { BadRequestException, Controller, Module, Post, Req, Res } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { Webhook } from 'svix'

const wh = new Webhook(process.env.ASPECT_WEBHOOK_SECRET)

class Hooks {
  aspect(req, res) {
    try {
      wh.verify(JSON.stringify(req.body), req.headers)
    } catch (err) {
      throw new BadRequestException('Invalid signature')
    }
    res.status(204).end()
  }
}
Post('aspect')(Hooks.prototype, 'aspect', Object.getOwnPropertyDescriptor(Hooks.prototype, 'aspect'))
Req()(Hooks.prototype, 'aspect', 0)
Res()(Hooks.prototype, 'aspect', 1)
Controller('webhooks')(Hooks)

class AppModule {}
Module({ controllers: [Hooks] })(AppModule)

const app = await NestFactory.create(AppModule)
await app.listen(process.env.PORT, '127.0.0.1')
