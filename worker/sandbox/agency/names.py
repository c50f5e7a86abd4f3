"""What things are called in the sample agency, as (en, ru) pairs. All people and firms are invented."""

from __future__ import annotations

Pair = tuple[str, str]

WOMEN: tuple[Pair, ...] = (
    ("Anna", "Анна"), ("Maria", "Мария"), ("Olga", "Ольга"), ("Daria", "Дарья"), ("Elena", "Елена"),
    ("Irina", "Ирина"), ("Ksenia", "Ксения"), ("Polina", "Полина"), ("Sofia", "София"), ("Vera", "Вера"),
    ("Alisa", "Алиса"), ("Nina", "Нина"), ("Yulia", "Юлия"), ("Tatiana", "Татьяна"), ("Zoya", "Зоя"),
    ("Lidia", "Лидия"), ("Emma", "Эмма"), ("Marta", "Марта"), ("Raisa", "Раиса"), ("Lada", "Лада"))
MEN: tuple[Pair, ...] = (
    ("Ivan", "Иван"), ("Pavel", "Павел"), ("Dmitry", "Дмитрий"), ("Maxim", "Максим"), ("Artyom", "Артём"),
    ("Nikita", "Никита"), ("Roman", "Роман"), ("Timur", "Тимур"), ("Gleb", "Глеб"), ("Boris", "Борис"),
    ("Anton", "Антон"), ("Denis", "Денис"), ("Kirill", "Кирилл"), ("Lev", "Лев"), ("Mark", "Марк"),
    ("Oleg", "Олег"), ("Semyon", "Семён"), ("Fyodor", "Фёдор"), ("Yegor", "Егор"), ("Zakhar", "Захар"))
SURNAMES: tuple[Pair, ...] = (
    ("Sokolov", "Соколов"), ("Morozov", "Морозов"), ("Volkov", "Волков"), ("Lebedev", "Лебедев"),
    ("Kozlov", "Козлов"), ("Novikov", "Новиков"), ("Pavlov", "Павлов"), ("Orlov", "Орлов"),
    ("Makarov", "Макаров"), ("Zaitsev", "Зайцев"), ("Belov", "Белов"), ("Tarasov", "Тарасов"),
    ("Gusev", "Гусев"), ("Titov", "Титов"), ("Kuzmin", "Кузьмин"), ("Baranov", "Баранов"),
    ("Filatov", "Филатов"), ("Rodionov", "Родионов"), ("Yershov", "Ершов"), ("Nikitin", "Никитин"),
    ("Krylov", "Крылов"), ("Gromov", "Громов"), ("Frolov", "Фролов"), ("Medvedev", "Медведев"),
    ("Zhukov", "Жуков"), ("Danilov", "Данилов"), ("Chernov", "Чернов"), ("Ryabov", "Рябов"),
    ("Polyakov", "Поляков"), ("Vinogradov", "Виноградов"), ("Karpov", "Карпов"), ("Bykov", "Быков"),
    ("Sidorov", "Сидоров"), ("Maslov", "Маслов"), ("Isaev", "Исаев"), ("Tikhonov", "Тихонов"),
    ("Aksyonov", "Аксёнов"), ("Gavrilov", "Гаврилов"), ("Rogov", "Рогов"), ("Blinov", "Блинов"))

UNITS: tuple[Pair, ...] = (("Alder", "Ольха"), ("Cedar", "Кедр"), ("Maple", "Клён"), ("Pine", "Сосна"), ("Willow", "Ива"))

# name, Jira project key, unit index, engagement, monthly fee (thousands), months with us
ACCOUNTS: tuple[tuple[Pair, str, int, str, int, int], ...] = (
    (("Severny Bank", "Северный банк"), "SEVB", 0, "retainer", 3900, 31),
    (("Polet Airlines", "Авиалинии «Полёт»"), "POLET", 1, "retainer", 1900, 22),
    (("Zelyonka Grocers", "Продуктовая сеть «Зелёнка»"), "ZEL", 1, "tm", 0, 17),
    (("Medlab Clinics", "Клиники «Медлаб»"), "MED", 2, "retainer", 1500, 26),
    (("Kvartal Homes", "Застройщик «Квартал»"), "KVA", 2, "tm", 0, 9),
    (("Rassvet Energy", "Энергосбыт «Рассвет»"), "RASS", 3, "retainer", 1700, 40),
    (("Lukomorye Toys", "Игрушки «Лукоморье»"), "LUK", 3, "tm", 0, 14),
    (("Tri Kita Logistics", "Логистика «Три кита»"), "KITA", 4, "retainer", 2100, 19))
NEWBIZ: tuple[Pair, ...] = (("Aurora Museum", "Музей «Аврора»"), ("Baltika Yachts", "Яхты «Балтика»"),
                            ("Chayka Theatre", "Театр «Чайка»"), ("Dubrava Furniture", "Мебель «Дубрава»"))
NEWBIZ_PROJECT: tuple[Pair, str] = (("New business", "Новый бизнес"), "NB")

SERVICES: tuple[tuple[Pair, str, int, int], ...] = (
    (("Customer portal", "Личный кабинет"), "endless", 900, 8), (("Mobile app", "Мобильное приложение"), "endless", 1100, 10),
    (("Corporate site", "Корпоративный сайт"), "one_off", 600, 6), (("Online shop", "Интернет-магазин"), "endless", 1000, 8),
    (("Analytics", "Аналитика"), "endless", 350, 3), (("Support", "Поддержка"), "endless", 300, 2),
    (("Brand design", "Дизайн бренда"), "one_off", 450, 5), (("Promo campaign", "Промокампания"), "one_off", 250, 3))

FEATURES: tuple[Pair, ...] = (
    ("sign in by phone", "вход по телефону"), ("payment page", "страница оплаты"), ("order history", "история заказов"),
    ("search with filters", "поиск с фильтрами"), ("push notifications", "пуш-уведомления"), ("profile settings", "настройки профиля"),
    ("loyalty cards", "карты лояльности"), ("report export", "выгрузка отчётов"), ("delivery map", "карта доставки"),
    ("chat with support", "чат с поддержкой"), ("promo codes", "промокоды"), ("document upload", "загрузка документов"),
    ("booking calendar", "календарь записи"), ("partner cabinet", "кабинет партнёра"), ("accessibility", "доступность"),
    ("dark theme", "тёмная тема"), ("product cards", "карточки товаров"), ("tariff calculator", "калькулятор тарифов"))
WORKS: tuple[Pair, ...] = (("Build", "Сделать"), ("Design", "Нарисовать"), ("Rework", "Переделать"), ("Test", "Проверить"),
                           ("Connect", "Подключить"), ("Speed up", "Ускорить"), ("Describe", "Описать"))
BUGS: tuple[Pair, ...] = (("does not open", "не открывается"), ("loses data", "теряет данные"), ("looks broken", "едет вёрстка"),
                          ("is slow", "тормозит"), ("shows a wrong sum", "показывает не ту сумму"))
EPICS: tuple[Pair, ...] = (("Launch", "Запуск"), ("Payments", "Платежи"), ("Catalogue", "Каталог"), ("Cabinet", "Кабинет"),
                           ("Integrations", "Интеграции"), ("Quality", "Качество"))
ROLES_IN_STAFF: tuple[tuple[str, int], ...] = (
    ("founder", 1), ("hoa", 1), ("head_newbiz", 1), ("sales", 2), ("finance", 1), ("lawyer", 1), ("am", 5), ("pm", 6),
    ("tl", 6), ("designer", 4), ("developer", 8), ("qa", 3), ("analyst", 1))
RATES = {"founder": 9000, "hoa": 6000, "head_newbiz": 5500, "sales": 3500, "finance": 3000, "lawyer": 3500, "am": 4500,
         "pm": 4000, "tl": 5000, "designer": 3800, "developer": 4000, "qa": 2800, "analyst": 3600}
CONTRACTORS: tuple[Pair, ...] = (("Focus video", "Видеостудия «Фокус»"), ("Quill copywriters", "Бюро текстов «Перо»"),
                                 ("Hotline call centre", "Колл-центр «На связи»"))
